"""What people read on a page, where its text is Markdown that escapes punctuation."""

import re


def read(text: str) -> str:
    """
    >>> read(r"It isn\\'t\\!")
    "It isn't!"
    """
    return re.sub(r"\\(?=[!-/:-@\[-`{-~])", "", text).replace("\N{WORD JOINER}", "")
