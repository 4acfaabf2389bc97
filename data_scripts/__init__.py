"""Commands that make what the package carries: the bundled networks and their tables."""
