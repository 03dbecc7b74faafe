"""The exception whose message is meant for users."""


class InputError(ValueError):
    """Something that the user named cannot be used: an option, a file, a folder, a link.

    The message is one sentence that says what is wrong and what to do about it. The command line prints it and exits
    with status 2; the app shows it on the page. Any other exception is a bug.
    """
