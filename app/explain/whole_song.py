"""“Only this” over the whole song: computed passage by passage while the page can be used, then played and exported.

It follows the reason that is open, and the label where none is.
"""

from dataclasses import dataclass
from weakref import ReferenceType, ref

import streamlit as st

from app.components.downloads import download_sound
from app.components.player import Track, player
from app.explain import reasons
from app.figures.colors import NEUTRAL, REST, color, reason_color, title
from app.frame.caches import cached
from app.frame.hearing import model, on_screen, spectrogram
from app.frame.sounds import Sound
from app.frame.turns import TURNS
from app.frame.view import View, show
from core.audio import Audio
from core.explanation.reasons import EVERYTHING_ELSE, Dictionary, reason_id
from core.explanation.whole_song import SongSplit, label_masking, reason_masking
from core.inference import WINDOW_S

PAUSE_S = 0.1  # between two passages, for what else is asked of the page
_KEPT = "whole-song"
HELP = (
    f"Explains one passage of {WINDOW_S:g} seconds after the other and fades each into the next. The less sure the "
    "network is of the instrument in a passage, the softer it sounds there. You can go on using the page meanwhile."
)


@dataclass(frozen=True)
class Part:
    """What is to be heard over the whole song: what speaks for a label, or one reason for it.

    Attributes:
        reason: The id of the reason; None for the label.
        number: Of the reason; None for the label, and for everything else.
        name: What the reason is called; empty for the label.
    """

    sound: Sound
    model: str
    label: str
    reason: str | None = None
    number: int | None = None
    name: str = ""

    @property
    def key(self) -> tuple[str, str, str, str | None]:
        """Tells parts apart; what is kept of them goes by it."""
        return self.sound.key, self.model, self.label, self.reason

    @property
    def title(self) -> str:
        """For people."""
        return f"{title(self.label).lower()}, reason “{self.name}”" if self.reason else title(self.label).lower()

    @property
    def color(self) -> str:
        return reason_color(self.number) if self.reason else color(self.label)

    @property
    def file_name(self) -> str:
        """As a part of the names of files."""
        return f"{self.label}-{self.reason}" if self.reason else self.label


def part_of(view: View, sound: Sound, label: str, dictionary: Dictionary | None) -> Part:
    """The reason that the view opens, wherever in the song it weighs something, or else the label."""
    number = dictionary.number_of(view.reason) if dictionary and view.reason else None
    if dictionary and number is not None:
        return Part(sound, view.model, label, view.reason, number, dictionary.names[number])
    if dictionary and view.reason == reason_id(dictionary.layer, None):
        return Part(sound, view.model, label, view.reason, name=EVERYTHING_ELSE)
    return Part(sound, view.model, label)


def panel(view: View, sound: Sound, label: str) -> None:
    """Offers to hear the label, or the opened reason, over the whole song; shows how far that is, then its player."""
    if sound.duration <= WINDOW_S:
        return
    part = part_of(view, sound, label, reasons.dictionary(view.model))
    dropped = bool(view.whole) and _was_dropped(part)
    if not view.whole or dropped:
        st.button(
            f"Only {part.title}, over the whole song",
            key="whole-song-start",
            icon=":material/graphic_eq:",
            on_click=_start,
            help=HELP,
        )
    if dropped:
        st.caption("What was found of the song had to make room for what other visitors hear; start it again.")
    elif view.whole and _begun(part).finished:
        _player(part)
    elif view.whole:
        _next_passage(part)


def _start() -> None:
    st.session_state.pop(_KEPT, None)
    show(whole=True)


def _was_dropped(part: Part) -> bool:
    """Whether this visitor's part was begun and has had to go; two visitors must not begin for ever in turn."""
    kept: tuple[object, ReferenceType[SongSplit]] | None = st.session_state.get(_KEPT)
    return kept is not None and kept[0] == part.key and kept[1]() is None


def _begun(part: Part) -> SongSplit:
    """What has been found of a part so far. The session does not hold it, so that the bounds of its cache are kept."""
    split = _split(part)
    st.session_state[_KEPT] = part.key, ref(split)
    return split


@cached("whole songs")
def _split(part: Part) -> SongSplit:
    known = reasons.dictionary(part.model)
    masking = reason_masking(part.label, known, part.reason) if part.reason and known else label_masking(part.label)
    return SongSplit(model(part.model), part.sound, masking)


@st.fragment(run_every=PAUSE_S)
def _next_passage(part: Part) -> None:
    """One passage a run, so that whatever the visitor does comes in between."""
    if _was_dropped(part):
        st.rerun()
    split = _begun(part)
    progress, stop = st.columns([4, 1], vertical_alignment="center")
    with stop:
        st.button("Stop", key="whole-song-stop", on_click=show, kwargs={"whole": None})
    with progress:
        st.progress(split.done / split.steps, f"Passage {min(split.done + 1, split.steps)} of {split.steps} …")
        with TURNS.turn():
            split.step(part.sound)
    if split.finished:
        st.rerun()


def _player(part: Part) -> None:
    parts, picture = _begun(part).split(part.sound), spectrogram(part.sound, part.model)
    player(
        key="whole-song",
        tracks=[
            Track("Only this", parts.kept, part.color),
            Track("Without it", parts.rest, REST),
            Track("Mix", part.sound.at(parts.kept.sample_rate), NEUTRAL),
        ],
        spectrogram=on_screen(picture.logmel, picture),
        duration=part.sound.duration,
        band_hz=model(part.model).frontend.band_hz,
        height=110,
        title=f"Evidence for {part.title}, over the whole song",
    )
    with st.container(horizontal=True):
        with st.popover("Export the whole song", icon=":material/download:"):
            download_sound("Only this, whole song", lambda: _finished(part).kept, f"{part.file_name}-whole-song")
            download_sound("Without it, whole song", lambda: _rest(part), f"without-{part.file_name}-whole-song")
        st.button("Close", key="whole-song-close", on_click=show, kwargs={"whole": None})


def _rest(part: Part) -> Audio:
    return _finished(part).split(part.sound).rest


def _finished(part: Part) -> SongSplit:
    """All of a part, found once more if it had to go since."""
    split = _split(part)
    while not split.finished:
        split.step(part.sound)
    return split
