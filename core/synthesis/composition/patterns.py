"""Rhythms as data: a string is a bar, and each of its characters an equal part of the bar.

``.`` is a rest, ``-`` holds the note before it, any other character begins a note. A comment above each table explains
its characters.
"""

from functools import lru_cache

# x a note
RHYTHMS: dict[str, tuple[str, ...]] = {
    "4/4": (
        "x-x-x-x-", "x-xxx-x-", "x--xx-x-", "x---x-x-", "x-x-x---", "xxx-xxx-", "x--xx---", "xx-xx-x-", "x-----x-",
        ".xxxx-x-", "x--x--x-", "x-xxxxx-", ".xx-x-x-", "x--xxx--", "x---xxxx", "x--xx-x-x-xxx-x-", "x-xxx-x-x---x---",
        "x---x-xxx---x---",
    ),
    "3/4": ("x-x-x-", "x---x-", "x--xx-", "x-xxx-", "x-x---", "xxx-x-", "xxxxx-", ".xxxx-", "x--xxx", "x---xx"),
    "6/8": ("x-xx-x", "x--x-x", "x-xx--", "xxxx-x", "x--xxx", "xxxxxx", "x-xxxx", ".xxx-x", "x---xx", "x--xx-x-x-x-"),
}  # fmt: skip

# x a note; the last one closes the phrase
CADENCES: dict[str, tuple[str, ...]] = {
    "4/4": ("x---x---", "x-----..", "x-x-x---", "x--xx---", "x-x-x-..", "xxx-x---", "x---...."),
    "3/4": ("x-----", "x---..", "x-x---", "xxx---", "x-xx--"),
    "6/8": ("x-----", "x-xx--", "x--x--", "x----.", "xxxx--"),
}

# R root, 3 third, 5 fifth, 8 root an octave higher, A step towards the root of the next chord
BASSES: dict[str, tuple[str, ...]] = {
    "4/4": (
        "R-------", "R---5---", "R-5-R-5-", "R-R-R-R-", "RRRRRRRR", "R-3-5-A-", "R--R--5-", "R--R5-A-", "R8R8R8R8",
        "R--R..5A", "R-.RR-.A", "R.R.5.R.", "R-5-8-5-", "R--5R--A", "R..R.R5-R..R.8A-",
    ),
    "3/4": ("R-----", "R---5-", "R-3-5-", "R---A-", "R-5-5-", "R-.5.A", "R-5-8-"),
    "6/8": ("R--5--", "R-----", "R-R5-A", "R--R--", "R-55-A", "R35853", "R--3-A"),
}  # fmt: skip

# c the chord, b the root in the bass, u the chord without its lowest note, 1-6 one note of it counted from below
BLOCKS: dict[str, tuple[str, ...]] = {
    "4/4": (
        "c-------", "c---c---", "c-c-c-c-", "c--c..c-", ".c.c.c.c", "b-u-b-u-", "..c-..c-", "c--c--c-", "b-u-buu-",
        "cccccccc", "c.cc.cc.", "b---u-u-",
    ),
    "3/4": ("c-----", "b-u-u-", "c---c-", ".-c-c-", "c-c-c-", "b-uuu-"),
    "6/8": ("c-----", "c--c--", "c-cc-c", "b-ub-u", "buubuu", "c--..c"),
}  # fmt: skip
ARPEGGIOS: dict[str, tuple[str, ...]] = {
    "4/4": (
        "13231323", "12343432", "1-2-3-2-", "12321232", "b-1-2-3-", "43214321", "b-23b-23", "1234123412341234",
        "1323132313231323", "b-3-2-3-", "1-3-2-3-",
    ),
    "3/4": ("123432", "132323", "1-2-3-", "b-2-3-", "b12321", "123456"),
    "6/8": ("123432", "b12321", "1-23-2", "123123", "b-23-2", "123456"),
}  # fmt: skip

# D stroke downwards over the strings, U upwards
STRUMS: dict[str, tuple[str, ...]] = {
    "4/4": ("D-D-D-D-", "D-DU.UDU", "D--UD--U", "D-DUD-DU", "D---D-DU", ".-D-.-D-", "DDDDDDDD", "D--D--D-", "D-------"),
    "3/4": ("D-D-D-", "D-DUDU", "D---DU", "b-D-D-", "D-----"),
    "6/8": ("D-UD-U", "D--D--", "DUDUDU", "D--DUD", "D-----"),
}

# x a stroke, X an accented one, o a soft one
GROOVES: dict[str, tuple[dict[str, str], ...]] = {
    "4/4": (
        {"kick": "x...x...", "snare": "..X...X.", "hat": "xxxxxxxx"},
        {"kick": "x..xx...", "snare": "..X...X.", "hat": "XoXoXoXo"},
        {"kick": "x.x.x.x.", "snare": "..X...X.", "open hat": ".x.x.x.x"},
        {"kick": "x.....x...x.....", "snare": "....X..o.o..X..o", "hat": "x.x.x.x.x.x.x.x."},
        {"kick": "x..x..x.x..x....", "snare": "....X.......X...", "hat": "xoxoxoxoxoxoxoxo"},
        {"kick": "x...x...", "stick": "x..x..x.", "hat": "oxoxoxox"},
        {"kick": "o.....o.....", "ride": "X..x.xX..x.x", "pedal hat": "...x.....x.."},
        {"kick": "x.....x.", "snare": "....X...", "ride": "X.x.X.x."},
        {"kick": "x...x..x", "clap": "..X...X.", "shaker": "xoxoxoxoxoxoxoxo"},
        {"low tom": "X..xX.x.", "tambourine": "..x...x.", "hat": "x.x.x.x."},
        {"kick": "x..xx..x", "stick": "..x..x..", "cowbell": "x.xxx.xx", "high conga": ".o.x.oxx"},
        {"snare": "XoooXoooXoXoXooo", "kick": "x.......x......."},
    ),
    "3/4": (
        {"kick": "x.....", "snare": "..x.x.", "hat": "x.x.x."},
        {"kick": "x.....", "stick": "..x.x.", "ride": "X.xxx."},
        {"kick": "x...x.", "snare": "..X...", "hat": "xxxxxx"},
        {"kick": "x.....", "tambourine": "..x.x.", "shaker": "xoxoxo"},
    ),
    "6/8": (
        {"kick": "x.....", "snare": "...X..", "hat": "xxxxxx"},
        {"kick": "x....x", "snare": "...X..", "ride": "X.xX.x"},
        {"kick": "x..x..", "tambourine": "x.xx.x", "hat": "xooxoo"},
        {"low tom": "X..x.x", "snare": "...X..", "shaker": "xooxoo"},
    ),
}

# x a stroke on the snare, 1-4 toms from high to low
FILLS: dict[str, tuple[str, ...]] = {
    "4/4": (
        "........xx112233",
        "....x.x.1122334.",
        "........x.x.1.3.",
        "..........xxxxxx",
        "....xx11xx22xx44",
        "....1234",
    ),
    "3/4": ("....xx112233", "......x.1.3.", "...123", "......xxxxxx"),
    "6/8": ("...xx1", "...123", "......xx1122", "xx1122"),
}

KIT = {
    "kick": (35, 36), "snare": (38, 40), "stick": (37,), "clap": (39,), "hat": (42,), "pedal hat": (44,),
    "open hat": (46,), "ride": (51, 53, 59), "crash": (49, 57, 55, 52), "low tom": (41, 43, 45), "tambourine": (54,),
    "cowbell": (56,), "shaker": (70, 69), "high conga": (62, 63, 60), "toms": (50, 48, 45, 41),
}  # fmt: skip
COLOURS = (
    54,
    56,
    58,
    61,
    62,
    63,
    64,
    65,
    66,
    67,
    68,
    69,
    70,
    73,
    75,
    76,
    77,
    80,
    81,
)  # keys of the percussion that may be added to a groove


@lru_cache(maxsize=1024)
def cells(pattern: str, bar: float) -> tuple[tuple[str, float, float], ...]:
    """The notes of a pattern as (symbol, offset, length) in beats, for a bar of ``bar`` beats.

    >>> cells("x-.xx---", 4.0)
    (('x', 0.0, 1.0), ('x', 1.5, 0.5), ('x', 2.0, 2.0))
    """
    step = bar / len(pattern)
    notes = []
    for position, symbol in enumerate(pattern):
        if symbol not in "-.":
            held = len(pattern[position + 1 :]) - len(pattern[position + 1 :].lstrip("-"))
            notes.append((symbol, position * step, (held + 1) * step))
    return tuple(notes)
