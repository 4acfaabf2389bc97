"""Lessons: sources in, notebooks for learners out; and what a lesson needs to know of the run it is in."""

from transferlab.course.profile import by_profile, chosen_profile

__all__ = ["by_profile", "chosen_profile"]
