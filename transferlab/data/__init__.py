"""Images in: bundled sets, folders, torchvision's sets. Tasks with a sealed test out. Never a model."""

from transferlab.data.imageset import ImageSet
from transferlab.data.load import load_task
from transferlab.data.metrics import counted_metrics
from transferlab.data.task import SealedTest, Task, TestScores, draw_task

__all__ = ["ImageSet", "SealedTest", "Task", "TestScores", "counted_metrics", "draw_task", "load_task"]
