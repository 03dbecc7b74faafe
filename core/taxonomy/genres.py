"""Musical genres: the ten of GTZAN (Tzanetakis & Cook 2002) and the eight of FMA-small (Defferrard et al. 2017).

A new genre is one new row of ``_ROWS``. The labels are spelt as each data set spells them; a genre that both know has
one title and one colour. The colours are far apart for normal, red-blind and green-blind eyes (smallest CIEDE2000
distance 16, 10 and 10), and all can be read on the dark theme.
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
    Genre("Blues", "roots", "#638cad", "blues"),
    Genre("Classical", "concert", "#f8edab", "classical"),
    Genre("Country", "roots", "#dfaa7a", "country"),
    Genre("Disco", "dance", "#f728a5", "disco"),
    Genre("Hip-hop", "dance", "#b95cff", "hiphop", "Hip-Hop"),
    Genre("Jazz", "concert", "#68f8ff", "jazz"),
    Genre("Metal", "rock", "#b9c0c9", "metal"),
    Genre("Pop", "dance", "#ffd8ce", "pop", "Pop"),
    Genre("Reggae", "roots", "#4a9b44", "reggae"),
    Genre("Rock", "rock", "#ea570c", "rock", "Rock"),
    Genre("Electronic", "dance", "#4bc1fc", fma="Electronic"),
    Genre("Experimental", "open", "#c0ff28", fma="Experimental"),
    Genre("Folk", "roots", "#a0b7a3", fma="Folk"),
    Genre("Instrumental", "open", "#c0bb17", fma="Instrumental"),
    Genre("International", "roots", "#b97579", fma="International"),
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
