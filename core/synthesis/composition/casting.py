"""Who plays what: the role of each instrument in a piece, and its register."""

from dataclasses import dataclass, replace

import numpy as np

from core.taxonomy.instruments import Instrument

# Semitones that a part spans, by role. "thirds", "answer" and "counter" are the roles of further melody instruments;
# "solo" is melody and harmony played with two hands.
WIDTHS = {
    "lead": 17, "thirds": 17, "answer": 17, "counter": 15, "harmony": 20, "pad": 20, "bass": 15, "solo": 38, "drums": 0,
}  # fmt: skip
SECOND_MELODIES = ("thirds", "counter", "answer")
BASS_BELOW_LEAD = 12  # semitones from the lowest note of the bass to that of the melody, if their ranges allow it


@dataclass(frozen=True)
class Voice:
    """An instrument, its role (a key of ``WIDTHS``), and the lowest and highest pitch of its part."""

    instrument: Instrument
    role: str
    low: int
    high: int

    def hands(self) -> tuple["Voice", "Voice"]:
        """The lower and the upper half of the register, for the left and the right hand of a soloist."""
        middle = (self.low + self.high) // 2
        return replace(self, high=middle + 2), replace(self, low=middle)


def cast(instruments: tuple[Instrument, ...], rng: np.random.Generator) -> list[Voice]:
    """A voice for each instrument, in their order: at most one lead, and a bass if an instrument can play it."""
    roles = _roles(instruments, rng)
    voices = [_voice(instrument, role, rng) for instrument, role in zip(instruments, roles, strict=True)]
    basses = [voice.low for voice in voices if voice.role == "bass"]
    if not basses:
        return voices
    return [_above(voice, max(basses) + BASS_BELOW_LEAD) if voice.role == "lead" else voice for voice in voices]


def _roles(instruments: tuple[Instrument, ...], rng: np.random.Generator) -> list[str]:
    roles = [_preferred(instrument, rng) for instrument in instruments]
    pitched = [index for index, instrument in enumerate(instruments) if not instrument.is_drums]
    if "bass" not in roles and len(pitched) > 1:
        _reassign(roles, [index for index in pitched if "bass" in instruments[index].roles], "bass", rng)
    if "melody" not in roles:
        rest = [index for index in pitched if "melody" in instruments[index].roles and roles[index] != "bass"]
        _reassign(roles, rest, "melody", rng)
    melodies = rng.permutation([index for index, role in enumerate(roles) if role == "melody"])
    seconds = rng.permutation(SECOND_MELODIES)
    for place, index in enumerate(melodies):
        roles[index] = str(seconds[(place - 1) % len(seconds)]) if place else "lead"
    for index in melodies[:1]:
        if "harmony" in instruments[index].roles and not {"harmony", "pad"} & set(roles):
            roles[index] = "solo"
    return roles


def _preferred(instrument: Instrument, rng: np.random.Generator) -> str:
    """The instrument's first role, or sometimes another one."""
    return instrument.roles[0] if rng.random() < 0.8 else str(rng.choice(instrument.roles))


def _reassign(roles: list[str], candidates: list[int], role: str, rng: np.random.Generator) -> None:
    if candidates:
        roles[int(rng.choice(candidates))] = role


def _voice(instrument: Instrument, role: str, rng: np.random.Generator) -> Voice:
    """A voice whose register is drawn from the instrument's whole range; basses stay low."""
    room = instrument.high - instrument.low
    width = min(WIDTHS[role], room) or room
    position = rng.beta(1.0, 2.0) if role == "bass" else rng.beta(1.4, 1.4)
    low = instrument.low + round(position * (room - width))
    return Voice(instrument, role, low, low + width)


def _above(voice: Voice, low: int) -> Voice:
    """The voice, raised so that its lowest pitch is ``low`` or as close to it as the instrument allows."""
    width = voice.high - voice.low
    low = min(max(voice.low, low), voice.instrument.high - width)
    return Voice(voice.instrument, voice.role, low, low + width)
