"""One file a tool: each takes a :class:`benchmarks.problem.Problem` and gives a function that predicts."""
