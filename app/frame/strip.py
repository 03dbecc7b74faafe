"""The strip on top of the pages that are about one song: all of it, who plays when, and the passage to explain."""

import numpy as np

from app.components.player.encoding import spectrogram_png
from app.components.song_strip import Ribbon, Window, strip
from app.figures.colors import color, title
from app.frame.caches import cached
from app.frame.hearing import on_screen, spectrogram
from app.frame.passages import passage_of
from app.frame.sounds import Sound
from app.frame.view import View, show, turn_to
from core.inference import WINDOW_S, Prediction

COLUMNS = 1200  # of the overview; as many as a wide screen shows of it


def song_strip(view: View, sound: Sound, heard: Prediction) -> bool:
    """Shows the whole song; whoever moves the passage or asks why an instrument is heard turns the view there.

    Returns:
        Whether the user has just asked why: then it is time for the page Explain.
    """
    explained = view.instrument or heard.ranking[0]
    passage = passage_of(sound, view.model, explained, view.start)

    def why(label: str, start: float | None) -> None:
        change = show if label == explained else turn_to  # what is open of the same explanation stays open
        change(instrument=label, start=start)

    return strip(
        key="song-strip",
        picture=_overview(sound, view.model),
        duration=sound.duration,
        edges=_edges(heard),
        ribbons=[
            Ribbon(label, title(label), color(label), _course(heard, label), shown=label == explained)
            for label in _rows(heard, explained)
        ],
        window=None if passage.whole else Window(passage.start, WINDOW_S),
        on_move=lambda start: turn_to(start=start),
        on_why=why,
    )


@cached("overviews")
def _overview(sound: Sound, model_name: str) -> bytes:
    """A PNG of the whole song, no wider than a screen."""
    picture = spectrogram(sound, model_name)
    return spectrogram_png(on_screen(picture.logmel, picture), COLUMNS)


def _rows(heard: Prediction, explained: str) -> list[str]:
    """What is heard, and what is explained even where it is not heard."""
    return list(dict.fromkeys([*heard.detected, explained]))


def _edges(heard: Prediction) -> list[float]:
    """Each window of the timeline stands for the time around its middle; the first and the last reach to the ends."""
    return [0.0, *(heard.times - heard.hop / 2)[1:].tolist(), heard.duration]


def _course(heard: Prediction, label: str) -> list[float]:
    return np.asarray(heard.timeline[:, heard.labels.index(label)], float).tolist()
