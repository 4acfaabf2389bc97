"""Lessons: sources in, notebooks for learners out, run, validated and opened; what a lesson asks and records.

Knows nothing of reports. Experiments that belong to one lesson alone lie in ``lessonNN.py``.
"""

from transferlab.course.ask import predict, quiz, reveal, warm_up
from transferlab.course.checks import check
from transferlab.course.ledger import open_ledger
from transferlab.course.profile import by_profile, chosen_profile

__all__ = [
    "by_profile",
    "check",
    "chosen_profile",
    "open_ledger",
    "predict",
    "quiz",
    "reveal",
    "warm_up",
]
