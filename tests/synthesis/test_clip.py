"""Clips are repeatable from their names, exactly the sum of their stems, and audible."""

import hashlib
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import reduce

import numpy as np
import pytest
from scipy.stats import chisquare, kstest

from core.errors import InputError
from core.paths import ROOT
from core.synthesis.clip import MIX_PEAK, Clip, compose
from core.synthesis.recipe import CONTROLLED, RECIPES, Recipe, modified, recipe, split_clip_name
from core.synthesis.render import DRUM_BANK, render_stem
from core.synthesis.score import Note
from core.synthesis.session import draw_labels, draw_soundfont, playable_programs
from core.synthesis.soundfonts import installed_soundfonts, presets
from core.taxonomy.instruments import INSTRUMENTS, LABEL_SETS

NAMES = [
    "general@3",
    "rich;soundfont=timgm6mb;duration=2@11",
    "wimu12;duration=3@4",
    "general;style=musical;count=8;duration=4@8",
    "general;instruments=drums,violin;duration=2;soundfont=timgm6mb@1",
    "general;style=musical;soundfont=timgm6mb@2",
]
FONTS = [font.name for font in installed_soundfonts()]


def digest(clip: Clip) -> str:
    parts = [clip.mix, *clip.stems.values()]
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


@pytest.fixture(scope="module")
def digests() -> dict[str, str]:
    return {name: digest(compose(name)) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_mix_is_the_exact_sum_of_its_stems(name: str) -> None:
    clip = compose(name)
    assert clip.mix.dtype == np.float32
    assert np.array_equal(clip.mix, reduce(np.add, clip.stems.values()))
    assert np.abs(clip.mix).max() <= MIX_PEAK * (1 + 1e-5)
    assert all(np.abs(stem).max() > 1e-3 for stem in clip.stems.values())


def test_same_bytes_in_any_order(digests: dict[str, str]) -> None:
    assert {name: digest(compose(name)) for name in reversed(NAMES)} == digests


def test_same_bytes_in_threads(digests: dict[str, str]) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda name: digest(compose(name)), NAMES * 2))
    assert found == [digests[name] for name in NAMES * 2]


def test_same_bytes_in_another_process(digests: dict[str, str]) -> None:
    names = [name for name in reversed(NAMES) if "timgm6mb" in name]  # the soundfont that loads fastest
    script = f"from tests.synthesis.test_clip import *\nfor name in {names}: print(digest(compose(name)))"
    child = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert child.stdout.split() == [digests[name] for name in names]


def test_other_seeds_give_other_clips() -> None:
    clips = [compose(f"general;duration=1;count=2@{seed}") for seed in range(4)]
    assert len({digest(clip) for clip in clips}) == 4
    assert len({clip.labels for clip in clips}) > 1


@pytest.mark.parametrize("name", NAMES)
def test_a_clip_has_the_name_that_it_was_made_from(name: str) -> None:
    made, seed = split_clip_name(name)
    assert made.clip_name(seed) == compose(name).name
    assert split_clip_name(made.clip_name(seed)) == (made, seed)


def test_a_name_keeps_every_digit() -> None:
    clip = compose("general;instruments=flute;duration=1.2345678;gain=0.123456789@1")
    assert len(clip.mix) == round(1.2345678 * clip.sample_rate)
    assert digest(compose(clip.name)) == digest(clip)


FREE = [preset for preset in RECIPES.values() if preset.base != CONTROLLED]


@pytest.mark.parametrize("preset", FREE, ids=lambda preset: preset.base)
def test_every_change_of_a_recipe_survives_its_name(preset: Recipe) -> None:
    assert preset.name == preset.base
    changes = {
        "label_set": "wimu12",
        "count": (2,),
        "instruments": ("piano", "violin"),
        "duration": 7.25,
        "style": ("musical",),
        "soundfont": ("fluidr3", "timgm6mb"),
        "gain": 1.5,
        "effects": "varied" if preset.effects == "none" else "none",
        "midi": "songs/folk tunes",
    }
    if preset.family:  # of which the smaller label set may hold too few
        del changes["label_set"]
    for key, value in changes.items():
        changed = modified(preset, **{key: value})
        assert recipe(changed.name) == changed
    assert recipe(modified(preset, **changes).name) == modified(preset, **changes)


def test_every_change_of_a_controlled_piece_survives_its_name() -> None:
    changed = modified(
        RECIPES[CONTROLLED], controls=("mode:minor", "tempo:fast"), duration=3.0, soundfont=("timgm6mb",), gain=0.5
    )
    assert changed.name == "controlled;duration=3;soundfont=timgm6mb;gain=0.5;controls=tempo:fast,mode:minor"
    assert recipe(changed.name) == changed


def test_the_music_does_not_change_with_sound_or_loudness() -> None:
    plain = compose("general;duration=2;soundfont=timgm6mb@5")
    for change in ("soundfont=fluidr3", "soundfont=timgm6mb;gain=0"):
        other = compose(f"general;duration=2;{change}@5")
        assert other.score == plain.score
        assert other.programs == plain.programs
        assert digest(other) != digest(plain)


@pytest.mark.parametrize("count", [1, 8])
@pytest.mark.parametrize("seconds", [1, 30])
def test_the_smallest_and_the_largest(count: int, seconds: int) -> None:
    clip = compose(f"general;count={count};duration={seconds}@2")
    assert len(clip.labels) == count
    assert len(clip.mix) == seconds * clip.sample_rate
    assert all(clip.score.parts[label] for label in clip.labels)


@pytest.mark.parametrize("name", LABEL_SETS)
def test_what_is_drawn_belongs_to_the_label_set(name: str) -> None:
    seen = set()
    for seed in range(12):
        clip = compose(f"general;label_set={name};duration=1;count=5@{seed}")
        assert all(clip.programs[label] in LABEL_SETS[name].programs[label] for label in clip.labels)
        assert list(clip.labels) == [label for label in LABEL_SETS[name].labels if label in clip.labels]
        seen |= set(clip.labels)
    assert len(seen) > len(LABEL_SETS[name].labels) / 2


def drawn_labels(recipe: str, times: int) -> list[tuple[str, ...]]:
    playable = playable_programs(RECIPES[recipe])
    return [draw_labels(RECIPES[recipe], playable, np.random.default_rng(seed)) for seed in range(times)]


@pytest.mark.parametrize("family", ["strings", "brass", "reeds", "plucked"])
def test_similar_instruments_are_of_one_family(family: str) -> None:
    members = {label for label, row in INSTRUMENTS.items() if row.family == family}
    drawn = drawn_labels(f"similar-{family}", 60)
    assert set().union(*map(set, drawn)) == members
    assert {len(labels) for labels in drawn} == {2, 3, 4}


@pytest.mark.parametrize("count", range(1, 7))
def test_a_count_recipe_draws_exactly_that_many(count: int) -> None:
    drawn = drawn_labels(f"count-{count}", 40)
    assert {len(labels) for labels in drawn} == {count}


def test_every_instrument_and_number_is_equally_likely() -> None:
    drawn = drawn_labels("rich", 3000)
    counts = np.bincount([len(labels) for labels in drawn], minlength=7)[1:]
    assert chisquare(counts).pvalue > 1e-3
    labels = [labels.count(label) for label in INSTRUMENTS for labels in [[x for clip in drawn for x in clip]]]
    assert chisquare(labels).pvalue > 1e-3


def test_a_soundfont_is_drawn_as_often_as_it_is_named() -> None:
    weighted = recipe("general;soundfont=timgm6mb,musescore,musescore")
    rng = np.random.default_rng(0)
    drawn = [draw_soundfont(weighted, "piano", 0, rng) for _ in range(600)]
    assert drawn.count("musescore") / 600 == pytest.approx(2 / 3, abs=0.06)


def test_gains_are_drawn_over_their_range() -> None:
    clips = [compose(f"general;duration=1;soundfont=timgm6mb;instruments=flute,oboe@{seed}") for seed in range(60)]
    gains = [gain for clip in clips for gain in clip.gains_db.values()]
    assert max(map(abs, gains)) <= 6
    assert kstest(gains, "uniform", (-6, 12)).pvalue > 1e-3


def test_the_description_says_how_the_clip_was_made() -> None:
    clip = compose("general;instruments=piano,flute;duration=2@1")
    described = clip.to_dict()
    assert described["name"] == clip.name
    assert described["instruments"] == ["piano", "flute"]
    assert described["duration_s"] == 2
    assert described["notes"] == {label: len(notes) for label, notes in clip.score.parts.items()}


@pytest.mark.parametrize("font", FONTS)
def test_every_program_is_audible_at_the_middle_of_its_range(font: str) -> None:
    silent = []
    for item in INSTRUMENTS.values():
        for program in item.programs:
            if (DRUM_BANK if item.is_drums else 0, program) not in presets(font):
                continue
            member = item.playing(program)
            middle = 38 if item.is_drums else (member.low + member.high) // 2
            sound = render_stem([Note(0.0, 0.4, middle, 100)], member, program, 0.5, font)
            if np.sqrt((sound**2).mean()) < 1e-3:
                silent.append((item.label, program))
    assert not silent


def test_the_soundfonts_are_installed() -> None:
    assert FONTS, "the tests need at least one soundfont"


def test_a_note_sounds_when_it_should() -> None:
    notes = [Note(0.5, 0.3, 60, 100)]
    sound = render_stem(notes, INSTRUMENTS["organ"], 16, 1.5, FONTS[0])
    loud = np.abs(sound).reshape(-1, 441).max(1) > 1e-3  # pieces of 20 ms
    assert not loud[:25].any()
    assert loud[27:39].all()
    assert not loud[-10:].any()


@pytest.mark.skipif("recorded" not in FONTS, reason="the soundfont of recorded notes is not installed")
def test_only_what_a_soundfont_has_is_drawn() -> None:
    for seed in range(8):
        clip = compose(f"general;soundfont=recorded;duration=1;count=3@{seed}")
        assert all((0, program) in presets("recorded") for program in clip.programs.values())
    with pytest.raises(InputError, match="recorded cannot play drums"):
        compose("general;soundfont=recorded;instruments=drums@1")


BAD_NAMES = {
    "": "not the name of a composed clip",
    "general": "not the name of a composed clip",
    "general@": "not the name of a composed clip",
    "general@-1": "not the name of a composed clip",
    "general@" + "9" * 30: "not the name of a composed clip",
    "general@1.5": "not the name of a composed clip",
    "opera@1": "no recipe 'opera'.*general",
    "general;colour=red@1": "no setting 'colour'.*duration",
    "general;duration=long@1": "'long' is not a possible duration",
    "general;duration=0.5@1": "1 to 30 seconds",
    "general;duration=31@1": "1 to 30 seconds",
    "general;duration=nan@1": "1 to 30 seconds",
    "general;count=0@1": "1 to 8 instruments",
    "general;family=noise@1": "no family 'noise'.*strings",
    "general;effects=magic@1": "no effects 'magic'.*varied",
    "similar-brass;count=6@1": "Only 4 instruments.*6 is too many",
    "general;count=9@1": "1 to 8 instruments",
    "general;count=1,2,3@1": "1 to 8 instruments",
    "general;count=@1": "not a possible count",
    "general;instruments=kazoo@1": "no instrument 'kazoo'.*violin",
    "wimu12;instruments=tuba@1": "no instrument 'tuba'",
    "general;style=@1": "style",
    "general;style=polka@1": "no style 'polka'.*random",
    "general;soundfont=@1": "soundfont",
    "general;soundfont=best@1": "no soundfont 'best'.*musescore",
    "general;label_set=mine@1": "no label set 'mine'.*wimu12",
    "general;style=midi@1": "needs a folder",
    "general;gain=nan@1": "gain",
    "general;gain=-3@1": "gain",
    "general;gain=1e9@1": "gain",
    "wimu12;count=8;label_set=@1": "no label set",
    "general;controls=mode:minor@1": "Only the recipe controlled has controls",
    "controlled;controls=colour:red@1": "no control 'colour'.*tempo",
    "controlled;controls=mode:blue@1": "mode cannot be 'blue'.*mode:major, mode:minor",
    "controlled;controls=mode@1": "mode cannot be ''",
    "controlled;controls=mode:major,mode:minor@1": "mode is set twice",
    "controlled;soundfont=best@1": "no soundfont 'best'",
    "controlled;duration=0.5@1": "1 to 30 seconds",
    **{
        f"controlled;{change}@1": f"The {change.partition('=')[0]} of the recipe controlled cannot be changed"
        for change in (
            "label_set=wimu12",
            "family=keys",
            "count=2",
            "instruments=flute",
            "style=random",
            "effects=varied",
            "midi=songs",
        )
    },
}


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names_end_in_one_sentence(name: str) -> None:
    with pytest.raises(InputError, match=BAD_NAMES[name]) as error:
        compose(name)
    assert "\n" not in str(error.value)


def test_too_many_instruments_by_name() -> None:
    with pytest.raises(InputError, match="9 are too many"):
        compose(f"general;instruments={','.join(list(INSTRUMENTS)[:9])}@1")
