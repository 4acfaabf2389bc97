"""The validator that chooses where none is named."""

DEFAULT_VALIDATOR = "information-maximization"
