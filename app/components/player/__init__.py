"""The player: sounds in step under a spectrogram, with a moving cursor, a loop and an overlay of evidence.

Everything that follows a click happens in the browser: playing, seeking, looping, switching tracks and fading the
overlay cost no rerun. A rerun with other data under the same ``key`` keeps the position, the loop, the chosen track
(by name), the overlay's opacity and, as far as tracks are unchanged, the sound itself, without a gap.

Players of one ``group`` are linked: play, pause, position, loop, zoom and opacity are those of all. One of them sounds,
the one whose play button, tracks or picture were used last, and the cursors of the others go along.

All times that are shown are those of the song, also where the player holds a passage of it (``offset``).

Keys while the player has the focus: space plays and pauses, the arrows left and right seek by a second, Home goes to
the start, L loops what is in view or ends the loop, 1 to 9 choose a track (in a mixer: let it sound alone), + and −
zoom in time, 0 shows all again, the arrows up and down move the frequencies that are zoomed in. Dragging on the picture
sets a loop, a click outside it ends it. Ctrl with the wheel, or two fingers, zoom where the pointer is.

Files: ``deck.js`` keeps the sounds in step (Web Audio), ``sounding.js`` is what components of a page tell each other,
``axes.js`` draws axes, ``player.js`` is the picture and its controls; they are sent as one script, because Streamlit's
inline components cannot import.

For tests in a browser, the root element (class ``player``) has the attributes

====================  ==================================================================================
``data-state``        ``loading``, ``ready`` (nothing played yet), ``playing``, ``paused`` or ``error``
``data-position``     second of the song, written about ten times a second while playing
``data-offset``       second of the song at which the player's sounds begin
``data-duration``     seconds
``data-track``        name of the audible track; in a mixer the names, joined by ``", "``
``data-loop``         ``start,end`` in seconds of the song, or empty
``data-zoom``         in time and in frequency, 1 where all is in view
``data-levels``       ``equal`` or ``true``; empty where no track has a gain
``data-level``        RMS of what sounds (full scale 1), 0 while nothing plays
``data-opacity``      of the overlay, 0 to 1
====================  ==================================================================================

and its parts are found by ``data-action``: ``play``, ``seek`` (the picture: click, drag, arrows), ``clear-loop``,
``opacity`` (range input), ``layer`` (with ``data-layer`` = ``for``, ``against`` or ``notes``), ``levels`` (with
``data-levels``), ``zoom``, ``reset-zoom``; and, with ``data-track-name``, ``track`` in "switch" mode, ``mute`` and
``solo`` in "mixer" mode.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import streamlit as st

from app.components.files import source
from app.components.player import encoding
from app.components.player.encoding import FloatArray
from app.figures.colors import seen
from core.audio import Audio, common_gain

Mode = Literal["switch", "mixer"]


@dataclass(frozen=True, eq=False)
class Track:
    """A sound called ``name``; ``color`` is ``#rrggbb``.

    Attributes:
        gain_db: What makes it as loud as the player's other tracks; one may switch between that and its true level.
    """

    name: str
    sound: Audio
    color: str
    gain_db: float = 0.0

    @property
    def gain(self) -> float:
        """The factor that makes it as loud as the others."""
        return float(10 ** (self.gain_db / 20))


@dataclass(frozen=True, eq=False)
class Overlay:
    """Signed evidence ``(bands, frames)`` on the spectrogram's grid: warm where positive, cool where negative.

    What is as strong as ``full`` has its full colour; if that is not given, the strongest that there is.
    """

    name: str
    values: FloatArray
    full: float | None = None


@dataclass(frozen=True)
class Note:
    """A note that is really played, from ``start`` to ``end`` (seconds of the song) at ``hz``, in a CSS colour."""

    start: float
    end: float
    hz: float
    color: str


SOUNDING = source(__file__, "sounding.js")  # for every component that sounds or follows one that does
AXES = source(__file__, "axes.js")

_mount = st.components.v2.component(
    "timbrescope_player",
    html=source(__file__, "player.html"),
    css=source(__file__, "player.css"),
    js=SOUNDING + AXES + source(__file__, "deck.js", "player.js"),
)


def player(
    *,
    key: str,
    tracks: Sequence[Track],
    spectrogram: FloatArray,
    duration: float,
    band_hz: FloatArray,
    offset: float = 0.0,
    overlay: Overlay | None = None,
    notes: Sequence[Note] = (),
    mode: Mode = "switch",
    height: int = 260,
    title: str = "",
    label: str = "",
    group: str = "",
) -> None:
    """Shows the player.

    All tracks are sent at one common gain, 1 unless something would clip, so that their loudness can be compared. Where
    tracks have gains of their own, the user chooses whether they sound equally loud or at their true levels.

    Args:
        key: Identifies this player over reruns.
        tracks: Sounds of one sample rate that start together; cut, or padded with silence, to ``duration``.
        spectrogram: ``(bands, frames)`` in [0, 1], the lowest band first.
        duration: Seconds that the picture spans and the sounds last.
        band_hz: ``(bands,)`` centre frequencies in Hz, increasing.
        offset: Second of the song at which the sounds begin, for the axis, the clock and the notes.
        overlay: Evidence to lay over the spectrogram, on the same grid.
        notes: To be drawn over the spectrogram where the user wants to see them.
        mode: "switch" makes one track sound at a time, "mixer" all of them, each with solo and mute.
        height: Of the picture, in CSS pixels.
        title: Heading above the picture.
        label: What a screen reader calls this player, to tell it from others; its title if not given.
        group: Links it with the other players of that name, which are to show the same stretch of the sound.

    Raises:
        ValueError: An argument breaks these rules.
    """
    _check_tracks(tracks, duration)
    _check_picture(spectrogram, band_hz, overlay)
    _mount(
        key=key,
        data={
            "title": title,
            "label": label or title or "Sound",
            "group": group,
            "mode": mode,
            "height": height,
            "duration": duration,
            "offset": offset,
            "sampleRate": tracks[0].sound.sample_rate,
            "tracks": _published_tracks(key, tracks, duration, mode),
            "spectrogram": encoding.publish(encoding.spectrogram_png(spectrogram), "image/png", f"{key}/spectrogram"),
            "bandHz": [round(float(hz), 2) for hz in band_hz],
            "overlay": overlay and _published_overlay(key, overlay),
            "notes": [vars(note) for note in notes],
        },
    )


def _published_tracks(key: str, tracks: Sequence[Track], duration: float, mode: Mode) -> list[dict[str, Any]]:
    sounds = [track.sound.samples for track in tracks]
    together = [_sum(sounds)] if mode == "mixer" else _amplified(tracks)
    gain = common_gain(*sounds, *together)
    length = round(duration * tracks[0].sound.sample_rate)
    return [
        {
            "name": track.name,
            "color": seen(track.color),
            "gain": track.gain,
            "url": encoding.publish(encoding.wav(track.sound, length, gain), "audio/wav", f"{key}/track/{track.name}"),
        }
        for track in tracks
    ]


def _amplified(tracks: Sequence[Track]) -> list[FloatArray]:
    """The tracks that a gain makes louder than they are."""
    return [track.sound.samples * np.float32(track.gain) for track in tracks if track.gain_db > 0]


def _sum(sounds: Sequence[FloatArray]) -> FloatArray:
    """What is heard of sounds that play together; the shorter ones end earlier."""
    total = np.zeros(max(map(len, sounds)), dtype=np.float32)
    for sound in sounds:
        total[: len(sound)] += sound
    return total


def _published_overlay(key: str, overlay: Overlay) -> dict[str, Any]:
    pngs = dict(zip(("for", "against"), encoding.evidence_pngs(overlay.values, overlay.full), strict=True))
    return {
        "name": overlay.name,
        "layers": {
            side: encoding.publish(png, "image/png", f"{key}/overlay/{side}") for side, png in pngs.items() if png
        },
    }


def _check_tracks(tracks: Sequence[Track], duration: float) -> None:
    names = [track.name for track in tracks]
    rules = {
        "a player needs at least one track": bool(tracks),
        f"duration must be positive, not {duration}": duration > 0,
        "the gains of tracks must be finite": all(np.isfinite(track.gain_db) for track in tracks),
        f"track names must differ and not be empty: {names}": all(names) and len(set(names)) == len(names),
        "all tracks must have one sample rate": len({track.sound.sample_rate for track in tracks}) <= 1,
    }
    for track in tracks:
        sound = np.asarray(track.sound.samples)
        rules[f"track {track.name!r} must be mono (n,) and not empty, not {sound.shape}"] = (
            sound.ndim == 1 and sound.size > 0
        )
        rules[f"track {track.name!r} holds NaN or infinite samples"] = bool(np.isfinite(sound).all())
    _require(rules)


def _check_picture(spectrogram: FloatArray, band_hz: FloatArray, overlay: Overlay | None) -> None:
    shape = spectrogram.shape
    rules = {f"the spectrogram must be (bands, frames) and not empty, not {shape}": len(shape) == 2 and 0 not in shape}
    _require(rules)
    rules = {
        "the spectrogram must lie in [0, 1]": bool(((spectrogram >= 0) & (spectrogram <= 1)).all()),
        f"band_hz must hold {shape[0]} frequencies, not {band_hz.shape}": band_hz.shape == shape[:1],
        "band_hz must increase": bool((np.diff(band_hz) > 0).all()),
    }
    if overlay:
        rules[f"the overlay must have the spectrogram's shape {shape}, not {overlay.values.shape}"] = (
            overlay.values.shape == shape
        )
        rules["the overlay holds NaN or infinite values"] = bool(np.isfinite(overlay.values).all())
    _require(rules)


def _require(rules: dict[str, bool]) -> None:
    for message, holds in rules.items():
        if not holds:
            raise ValueError(message)
