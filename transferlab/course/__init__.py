"""Lessons: sources in, notebooks for learners out, run, validated and opened; and the profile of a run.

Knows nothing of reports. Experiments that belong to one lesson alone lie in ``lessonNN.py``.
"""

from transferlab.course.profile import by_profile, chosen_profile

__all__ = ["by_profile", "chosen_profile"]
