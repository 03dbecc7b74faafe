"""The recipe ``controlled``: pieces in which one thing can be changed while all else stays, down to the bytes.

Everything about a stem is drawn from random numbers of its own, whoever plays besides, and the stems are so soft that
no mix has to be turned down. So the stems of two such pieces are the same unless the changed control is about them.
"""

from dataclasses import dataclass

from core.errors import InputError
from core.synthesis.composition.piece import Piece, Player
from core.synthesis.controls import Settings, settings, stream
from core.synthesis.effects import Effects
from core.synthesis.recipe import CONTROLLED, Recipe
from core.synthesis.score import Score
from core.synthesis.session import Session, draw_soundfont, playable_programs
from core.taxonomy.instruments import FAMILIES, INSTRUMENTS

HEADROOM = 12.0  # dB by which all stems are softer
DRIVE = 32.0  # dB by which the amplifier of a distorted guitar is overdriven
TONE = -60.0  # dB, relative to the stem that the tone is on
CLEAN, DISTORTED = "electric_guitar", "distorted_guitar"  # labels
# What an instrument plays, by its first role.
ROLES = {"harmony": "chords", "pad": "chords", "melody": "melody", "bass": "bass", "drums": "drums"}


@dataclass(frozen=True)
class _Seat:
    """A player, and what is played on."""

    player: Player
    program: int
    soundfont: str
    gain: float


def controlled_session(recipe: Recipe, seed: int) -> Session:
    """The session of a controlled piece.

    Raises:
        InputError: the controls silence everybody, or the soundfonts cannot play an instrument.
    """
    chosen = settings(recipe.controls, seed)
    seats = {seat.player.label: seat for seat in _seats(recipe, chosen, seed)}
    if not seats:
        raise InputError("Nobody plays in this piece; set fewer families of instruments to no.")
    seats = {label: seats[label] for label in INSTRUMENTS if label in seats}
    piece = Piece(chosen, seed, recipe.duration)
    parts = {label: piece.part(seat.player) for label, seat in seats.items()}
    effects = {label: Effects(drive=DRIVE if _is_driven(chosen, label) else None) for label in seats}
    if chosen["tone"] == "yes":
        first = next(iter(seats))
        effects[first] = Effects(drive=effects[first].drive, tone=TONE)
    return Session(
        score=Score(recipe.duration, parts, piece.tempo),
        programs={label: seat.program for label, seat in seats.items()},
        soundfonts={label: seat.soundfont for label, seat in seats.items()},
        gains_db={label: seat.gain - HEADROOM for label, seat in seats.items()},
        effects=effects,
        style=CONTROLLED,
    )


def _is_driven(chosen: Settings, label: str) -> bool:
    return label == DISTORTED and chosen["guitar"] == "distorted"


def _seats(recipe: Recipe, chosen: Settings, seed: int) -> list[_Seat]:
    """One player of each family that plays."""
    playable = playable_programs(recipe)
    return [_seat(recipe, chosen, seed, family, playable) for family in FAMILIES if chosen[family] == "yes"]


def _seat(recipe: Recipe, chosen: Settings, seed: int, family: str, playable: dict[str, list[int]]) -> _Seat:
    rng = stream(seed, f"seat {family}")
    members = [label for label in playable if INSTRUMENTS[label].family == family and _suits(label, family)]
    able = [label for label in members if playable[label]]
    if not able or not playable[CLEAN]:
        raise InputError(f"{', '.join(recipe.soundfont)} cannot play {family}; choose another soundfont.")
    label = str(rng.choice(able))
    guitar = family == "plucked" and chosen["guitar"] != "any"
    played = CLEAN if guitar else label
    program = int(rng.choice(playable[played]))
    player = Player(
        label=DISTORTED if guitar and chosen["guitar"] == "distorted" else played,
        part=family,
        instrument=INSTRUMENTS[played].playing(program),
        role=ROLES[INSTRUMENTS[played].roles[0]],
    )
    gain = float(rng.uniform(-recipe.gain, recipe.gain))
    return _Seat(player, program, draw_soundfont(recipe, played, program, stream(seed, f"soundfont {family}")), gain)


def _suits(label: str, family: str) -> bool:
    """Whether an instrument can play the part of its family: no tuba plays melodies."""
    return family == "bass" or INSTRUMENTS[label].roles[0] != "bass"
