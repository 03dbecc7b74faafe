"""The one exception that a user is meant to read."""


class InputError(ValueError):
    """Something that the user gave cannot be used.

    The message is one sentence that says what is wrong and what to do. The command line prints it and exits with 2,
    the app shows it on the page; any other exception is a defect of ours.
    """
