"""Active learning: pools, oracles and budgets in, what to label next and what it is worth out."""
