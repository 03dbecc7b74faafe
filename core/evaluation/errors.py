"""Where a model with one answer for each clip is wrong: by artist, and clips that every model gets wrong."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from core.records import Interval, Part
from core.statistics import as_interval, bootstrap


class ClipAnswer(Part):
    """A model's answer for one clip.

    Attributes:
        id: The clip's id in its corpus.
        label: What it is.
        answer: What the model says; None if it hears nothing.
        artist: Who plays, if known.
        title: What is played, if known.
    """

    id: str
    label: str
    answer: str | None
    artist: str | None = None
    title: str | None = None

    @property
    def right(self) -> bool:
        return self.answer == self.label


class ArtistErrors(Part):
    """How a model does on the clips of one artist.

    Attributes:
        clips: Number of clips.
        right: How many of the answers are right.
        taken_for: How often each wrong answer was given, the most frequent first.
    """

    clips: int
    right: int
    taken_for: dict[str, int]


def by_artist(answers: Iterable[ClipAnswer]) -> dict[str, ArtistErrors]:
    """The errors for each artist that is known, the artist with the most errors first.

    >>> heard = [("a", "pop"), ("a", "rock"), ("b", "pop")]
    >>> answers = [ClipAnswer(id=str(n), label="pop", answer=said, artist=who) for n, (who, said) in enumerate(heard)]
    >>> by_artist(answers)["a"]
    ArtistErrors(clips=2, right=1, taken_for={'rock': 1})
    """
    artists: dict[str, list[ClipAnswer]] = {}
    for each in answers:
        if each.artist is not None:
            artists.setdefault(each.artist, []).append(each)
    found = {artist: _errors(theirs) for artist, theirs in artists.items()}
    return dict(sorted(found.items(), key=lambda row: (row[1].right - row[1].clips, row[0])))


def _errors(answers: Sequence[ClipAnswer]) -> ArtistErrors:
    wrong = Counter(each.answer for each in answers if each.answer is not None and not each.right)
    right = sum(each.right for each in answers)
    return ArtistErrors(clips=len(answers), right=right, taken_for=dict(wrong.most_common()))


def accuracy_by_artist(answers: Sequence[ClipAnswer]) -> Interval:
    """Accuracy with the interval over artists: whole artists are drawn, since their clips resemble each other.

    A clip whose artist is not known counts as one of its own. The value is the accuracy over all clips.
    """
    places: dict[str, int] = {}
    owner = np.array([places.setdefault(each.artist or f"\n{each.id}", len(places)) for each in answers], int)
    clips = np.bincount(owner, minlength=len(places)).astype(float)
    right = np.bincount(owner, weights=[each.right for each in answers], minlength=len(places))

    def accuracy(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {"accuracy": weights @ right / np.maximum(weights @ clips, 1)}

    return as_interval(bootstrap(accuracy, len(places))["accuracy"]) if places else Interval()


def missed_by_all(models: Sequence[Sequence[ClipAnswer]]) -> list[tuple[ClipAnswer, ...]]:
    """The clips that every model was asked about and got wrong, each with the models' answers, in the order of the ids.

    Args:
        models: The answers of each model.
    """
    answers = [{each.id: each for each in model} for model in models]
    common = set.intersection(*(set(each) for each in answers)) if answers else set()
    rows = [tuple(each[id] for each in answers) for id in sorted(common)]
    return [row for row in rows if not any(each.right for each in row)]
