"""Sentences about what is wrong, as plain text: file names and parts of links in them are not taken for Markdown."""

import re

import streamlit as st

# Streamlit makes links, icons and emoji of what follows these even where it is escaped, so an invisible character that
# allows no line break (WORD JOINER) comes between.
_PULLED_APART = re.compile(r"[:@]|\bwww", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


def error(sentence: str) -> None:
    st.error(plain(sentence), icon=":material/error:")


def warning(sentence: str, icon: str = ":material/warning:") -> None:
    st.warning(plain(sentence), icon=icon)


def info(sentence: str) -> None:
    st.info(plain(sentence), icon=":material/info:")


def plain(sentence: str) -> str:
    """Markdown that reads as the sentence itself, on one line; what stands between backticks is shown as code.

    >>> plain("[Song](x.mp3) is empty; try `make app`.")
    '\\\\[Song\\\\]\\\\(x\\\\.mp3\\\\) is empty\\\\; try `make app`\\\\.'
    """
    text, *rest = " ".join(sentence.split()).split("`")
    parts = [_escape(text)]
    while len(rest) > 1:
        code, text, *rest = rest
        parts += [f"`{code}`" if code else r"\`\`", _escape(text)]
    return "".join(parts) + "".join(rf"\`{_escape(text)}" for text in rest)


def _escape(text: str) -> str:
    return _PUNCTUATION.sub(r"\\\g<0>", _PULLED_APART.sub("\\g<0>\N{WORD JOINER}", text))
