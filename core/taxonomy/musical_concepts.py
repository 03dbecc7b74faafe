"""Musical concepts: what people mean by fast, swinging or distorted music, each as a question with two answers.

A concept is known by cause: its two sides are one piece of music, composed twice with only that one thing changed. The
sides are given by values of the controls of :mod:`core.synthesis.controls`. A new concept is one new row of ``_ROWS``.
"""

from dataclasses import dataclass

from core.errors import InputError
from core.taxonomy.instruments import INSTRUMENTS
from core.taxonomy.labels import LABEL_SPACES, LabelSpace

SPACE = "musical_concepts"


@dataclass(frozen=True)
class MusicalConcept:
    """A property that music has or lacks.

    Attributes:
        name: The name used everywhere.
        title: The name for people, who read it as what the music has.
        group: Group of similar concepts: rhythm, drums, harmony, notes, instruments, sound.
        question: What is asked about a piece, in plain words.
        composed: How the two sides are composed, as a phrase.
        without: Values of controls, ``control:value``, of the side that lacks it.
        having: Values of the same controls of the side that has it.
    """

    name: str
    title: str
    group: str
    question: str
    composed: str
    without: tuple[str, ...]
    having: tuple[str, ...]


def _row(name: str, title: str, group: str, question: str, composed: str, without: str, having: str) -> MusicalConcept:
    return MusicalConcept(name, title, group, question, composed, tuple(without.split()), tuple(having.split()))


def _beat(name: str, title: str, question: str, composed: str) -> MusicalConcept:
    """A drum pattern, against the plainest one."""
    sides = (f"metre:four drums:yes pattern:{pattern}" for pattern in ("plain", name))
    return _row(name, title, "drums", question, composed, *sides)


def _part(name: str, title: str, question: str, family: str) -> MusicalConcept:
    """A family of instruments, one of which plays or is silent."""
    group = "drums" if family == "drums" else "instruments"
    return _row(name, title, group, question, "one part is silent or plays", f"{family}:no", f"{family}:yes")


_ROWS = (
    _row(
        "fast", "Fast tempo", "rhythm", "Is the music fast?",
        "the same notes at 60 to 85, or at 130 to 180 beats a minute", "tempo:slow", "tempo:fast",
    ),
    _row(
        "triple_metre", "Three beats a bar", "rhythm", "Does a bar have three beats?",
        "the bars have four beats, or lack the last one", "metre:four", "metre:three",
    ),
    _row(
        "swing", "Swing", "rhythm", "Does the music swing?",
        "every second eighth comes halfway between the beats, or late like the last of a triplet", "swing:no",
        "swing:yes",
    ),
    _part("drum_kit", "Drums", "Are there drums?", "drums"),
    _beat(
        "four_on_the_floor", "Four on the floor", "Is there a bass drum on every beat?",
        "the bass drum on the first beat alone, or on all four",
    ),
    _beat(
        "backbeat", "Backbeat", "Is there a snare drum on the second and the fourth beat?",
        "bass drum and hi-hat alone, or with a snare drum on the second and the fourth beat",
    ),
    _beat(
        "one_drop", "One drop", "Do the drums leave the first beat out and stress the third?",
        "the bass drum on the first beat, or with a rim stroke on the third",
    ),
    _part("bass_line", "Bass line", "Is there a bass?", "bass"),
    _part("keyboards", "Keyboards", "Is there a piano, an organ or another keyboard?", "keys"),
    _part("mallet_instruments", "Mallet instruments", "Is there a vibraphone or another mallet instrument?", "mallets"),
    _part("plucked_strings", "Plucked strings", "Is there a guitar or another plucked instrument?", "plucked"),
    _part("bowed_strings", "Bowed strings", "Are there bowed strings?", "strings"),
    _part("voice_lead", "Voice-like lead", "Is there a voice, or something like one?", "voice"),
    _part("brass_instruments", "Brass", "Is there brass?", "brass"),
    _part("reed_instruments", "Reeds", "Is there a saxophone or another reed instrument?", "reeds"),
    _part("flute_instruments", "Flutes", "Is there a flute?", "flutes"),
    _part("synthesisers", "Synthesisers", "Is there a synthesiser?", "synth"),
    _row(
        "minor", "Minor", "harmony", "Is the music in minor?",
        "the same degrees of the major scale, or of the minor scale on the same tonic", "mode:major", "mode:minor",
    ),
    _row(
        "frequent_chords", "Frequent chord changes", "harmony", "Does the harmony change often?",
        "the same chords, one for two bars or two in every bar", "chords:slow", "chords:fast",
    ),
    _row(
        "dense", "Many notes", "notes", "Are there many notes?",
        "of all pitched parts only the notes on the first and third beat, or all notes", "density:sparse",
        "density:dense",
    ),
    _row(
        "high", "High register", "notes", "Do the parts above the bass play high?",
        "the parts above the bass as they are, or an octave higher", "register:low", "register:high",
    ),
    _row(
        "hard", "Hard strokes", "notes", "Do all play with force?",
        "all notes played softly, or hard, and both recorded at one loudness", "touch:soft", "touch:hard",
    ),
    _row(
        "swelling", "Swelling", "notes", "Does the music swell between soft and loud?",
        "the same loudness throughout, or rising and falling every two bars", "dynamics:steady", "dynamics:swelling",
    ),
    _row(
        "distortion", "Distorted guitar", "sound", "Is the guitar distorted?",
        "the same guitar, clean or through an overdriven amplifier", "plucked:yes guitar:clean",
        "plucked:yes guitar:distorted",
    ),
    _row(
        "inaudible_tone", "Inaudible tone", "sound", "Is there a high tone that nobody hears?",
        "the same recording, alone or with a tone at 10.5 kHz that is 60 dB softer than one of the instruments",
        "tone:no", "tone:yes",
    ),
)  # fmt: skip

MUSICAL_CONCEPTS: dict[str, MusicalConcept] = {row.name: row for row in _ROWS}


def musical_concept(name: str) -> MusicalConcept:
    """The concept of this name.

    >>> musical_concept("minor").having
    ('mode:minor',)

    Raises:
        InputError: there is none.
    """
    if name not in MUSICAL_CONCEPTS:
        raise InputError(f"There is no musical concept {name!r}; choose one of: {', '.join(MUSICAL_CONCEPTS)}.")
    return MUSICAL_CONCEPTS[name]


LABEL_SPACES.register(SPACE)(
    LabelSpace(
        name=SPACE,
        noun="concept",
        labels=tuple(MUSICAL_CONCEPTS),
        titles={row.name: row.title for row in _ROWS},
        groups={row.name: row.group for row in _ROWS},
        # Those of the instruments, which are as far apart as so many can be.
        colors={row.name: other.color for row, other in zip(_ROWS, INSTRUMENTS.values(), strict=False)},
    )
)
