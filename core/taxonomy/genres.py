"""Musical genres: the ten of GTZAN (Tzanetakis & Cook 2002) and the eight of FMA-small (Defferrard et al. 2017).

A new genre is one new row of ``_ROWS``. The labels are spelt as each data set spells them; a genre that both know has
one title and one colour.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from core.taxonomy.labels import LABEL_SPACES, LabelSpace


@dataclass(frozen=True)
class Genre:
    """One genre.

    Attributes:
        title: Name for people.
        group: Group of genres that are made in a similar way.
        color: Its colour in all figures, as ``#rrggbb``.
        gtzan: Its label in GTZAN, if it has one.
        fma: Its label in FMA-small, if it has one.
    """

    title: str
    group: str
    color: str
    gtzan: str | None = None
    fma: str | None = None


_ROWS = (
    Genre("Blues", "roots", "#5a86ff", "blues"),
    Genre("Classical", "concert", "#f2d16b", "classical"),
    Genre("Country", "roots", "#c98a4b", "country"),
    Genre("Disco", "dance", "#ff4fd8", "disco"),
    Genre("Hip-hop", "dance", "#b58cff", "hiphop", "Hip-Hop"),
    Genre("Jazz", "concert", "#2fa8a0", "jazz"),
    Genre("Metal", "rock", "#8d99a8", "metal"),
    Genre("Pop", "dance", "#ffb0d0", "pop", "Pop"),
    Genre("Reggae", "roots", "#35b04c", "reggae"),
    Genre("Rock", "rock", "#ff5a4d", "rock", "Rock"),
    Genre("Electronic", "dance", "#3fd8ff", fma="Electronic"),
    Genre("Experimental", "open", "#d8ff4c", fma="Experimental"),
    Genre("Folk", "roots", "#a8e0b0", fma="Folk"),
    Genre("Instrumental", "open", "#f4e6d0", fma="Instrumental"),
    Genre("International", "roots", "#ff9a1f", fma="International"),
)

GENRES: dict[str, Genre] = {label: row for row in _ROWS for label in (row.gtzan, row.fma) if label}
"""Every genre by its label in either data set."""


def genre_words(words: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The labels that each word for a genre stands for, however it is spelt; any other word is its own label.

    >>> genre_words(["Hip Hop", "metal", "zydeco"])
    {'Hip Hop': ('hiphop', 'Hip-Hop'), 'metal': ('metal',), 'zydeco': ('zydeco',)}
    """
    return {word: tuple(label for label in GENRES if _plain(label) == _plain(word)) or (word,) for word in words}


def is_genre(word: str) -> bool:
    """Whether a word names one of the genres, however it is spelt."""
    return any(_plain(label) == _plain(word) for label in GENRES)


def _plain(word: str) -> str:
    """A word without case, blanks and hyphens."""
    return re.sub(r"[\W_]", "", word).lower()


def _space(name: str, labels: tuple[str, ...]) -> LabelSpace:
    return LabelSpace(
        name=name,
        noun="genre",
        labels=labels,
        titles={label: GENRES[label].title for label in labels},
        groups={label: GENRES[label].group for label in labels},
        colors={label: GENRES[label].color for label in labels},
    )


GTZAN = LABEL_SPACES.register("gtzan")(_space("gtzan", tuple(sorted(row.gtzan for row in _ROWS if row.gtzan))))
FMA_SMALL = LABEL_SPACES.register("fma_small")(_space("fma_small", tuple(sorted(row.fma for row in _ROWS if row.fma))))
