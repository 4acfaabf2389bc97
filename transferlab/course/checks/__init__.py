"""``check.L05_freeze(answer)``: right or wrong, why, and a hint that grows with attempts; it never raises."""

from transferlab.course.checks.check import check, exercises_of

__all__ = ["check", "exercises_of"]
