"""The one error for ordinary mistakes: a sentence that names the thing and says what to do."""


class UserError(ValueError):
    """Bad input from a person. The command line prints it as one sentence, without a traceback."""
