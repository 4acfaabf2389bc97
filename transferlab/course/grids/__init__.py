"""Results too large to compute in a lesson: made once by a command, read by the lesson."""

from transferlab.course.grids.stored import grid_names, grid_problems, make_grid, stored_grid

__all__ = ["grid_names", "grid_problems", "make_grid", "stored_grid"]
