"""Every layout of labelled clips: a contract for all that are registered, then what is special about each."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.audio import SAMPLE_RATE, Audio, load, write_wav
from core.corpora.build import DatasetPlan, build_dataset
from core.corpora.read import BuiltDataset
from core.corpora.source import SOURCES, labelled_clips
from core.errors import InputError
from core.frontends.logmel import FrontendConfig
from core.taxonomy.instruments import INSTRUMENTS

TONE = np.sin(np.arange(SAMPLE_RATE // 4) / 10) / 2


def sound(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".wav":
        write_wav(path, Audio(TONE, SAMPLE_RATE))
    else:
        soundfile.write(path, TONE, SAMPLE_RATE)


def text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def built(folder: Path) -> None:
    build_dataset(DatasetPlan("wimu12;duration=1;count=2;soundfont=timgm6mb", 3, 4, FrontendConfig()), folder, 1)


def recordings(folder: Path) -> None:
    for name in ("1.wav", "deep/2.flac"):
        sound(folder / name)
    text(folder / "labels.csv", "file,instruments,kind\n1.wav,piano; kazoo,live\ndeep/2.flac,tuba,\n")


def irmas(folder: Path) -> None:
    sound(folder / "IRMAS-TrainingData/cel/[cel][cla]0001__1.wav")
    sound(folder / "IRMAS-TrainingData/gel/[gel][dru][pop_roc]0829__2.wav")
    sound(folder / "IRMAS-TestingData-Part1/Part1/(02) a song-1.wav")
    text(folder / "IRMAS-TestingData-Part1/Part1/(02) a song-1.txt", "gel\t\npia\t\t\nvoi")


def openmic(folder: Path) -> None:
    for key in ("000046_3840", "154_0", "154_9"):
        sound(folder / f"audio/{key[:3]}/{key}.ogg")
    rows = (
        "000046_3840,guitar,0.9,3\n000046_3840,flute,0.1,3\n154_9,mandolin,1,3\n154_0,bass,0.51,3\n154_0,flute,0.5,3\n"
    )
    text(folder / "openmic-2018-aggregated-labels.csv", f"sample_key,instrument,relevance,num_responses\n{rows}")
    text(folder / "partitions/split01_train.csv", "000046_3840\n")
    text(folder / "partitions/split01_test.csv", "154_0\n")


MAKERS: dict[str, Callable[[Path], None]] = {
    "built": built, "folder": recordings, "irmas": irmas, "openmic": openmic
}  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A tiny folder of each layout."""
    root = tmp_path_factory.mktemp("sources")
    for name, make in MAKERS.items():
        make(root / name)
    return {name: root / name for name in MAKERS}


def test_every_source_is_tested() -> None:
    assert set(MAKERS) == set(SOURCES)


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_recognises_its_own_layout_alone(name: str, folders: dict[str, Path], tmp_path: Path) -> None:
    assert [other for other, folder in folders.items() if SOURCES.get(name).recognises(folder)] == [name]
    assert not SOURCES.get(name).recognises(tmp_path)
    assert not SOURCES.get(name).recognises(tmp_path / "nowhere")


@pytest.mark.parametrize("name", SOURCES)
def test_what_a_source_promises(name: str, folders: dict[str, Path]) -> None:
    clips = labelled_clips(folders[name])
    assert clips.description["source"] == name
    assert str(folders[name].parent) not in str(clips.description)
    assert len(clips) == len(clips.held) == len(clips.kinds) == len(clips.sounds) > 0
    assert {word for held in clips.held for word in held} <= set(clips.groups)
    assert all(clips.kinds)
    if isinstance(clips.sounds, list):
        assert all(load(file).duration == pytest.approx(0.25, abs=0.01) for file in clips.sounds)
    if clips.known is not None:
        assert clips.known.shape == (len(clips), len(clips.groups))
        words = list(clips.groups)
        assert all(clips.known[clip, words.index(word)] for clip, held in enumerate(clips.held) for word in held)


@pytest.mark.parametrize("name", ["irmas", "openmic"])
def test_words_stand_for_labels_of_the_taxonomy(name: str, folders: dict[str, Path]) -> None:
    labels = [label for group in labelled_clips(folders[name]).groups.values() for label in group]
    assert set(labels) <= set(INSTRUMENTS)
    assert len(labels) == len(set(labels)), "a label belongs to one word"


def test_a_built_data_set(folders: dict[str, Path]) -> None:
    clips = labelled_clips(folders["built"])
    assert isinstance(clips.sounds, BuiltDataset)
    assert (clips.description["recipe"], clips.description["seed"]) == (
        "wimu12;duration=1;count=2;soundfont=timgm6mb",
        4,
    )
    assert all(len(held) == 2 for held in clips.held)


def test_a_folder_of_recordings(folders: dict[str, Path]) -> None:
    clips = labelled_clips(folders["folder"])
    assert clips.description["folder"] == "folder"
    assert clips.held == [["piano", "kazoo"], ["tuba"]]
    assert clips.kinds == ["live", "recording"]
    assert set(clips.groups) == {*INSTRUMENTS, "kazoo"}


def test_irmas_training_and_testing_data(folders: dict[str, Path]) -> None:
    clips = labelled_clips(folders["irmas"])
    assert sorted(zip(clips.kinds, clips.held, strict=True)) == [
        ("testing", ["gel", "pia", "voi"]), ("training", ["cel"]), ("training", ["gel"])
    ]  # fmt: skip
    assert clips.groups["gel"] == ("electric_guitar", "distorted_guitar")
    assert len(clips.groups) == 11
    assert clips.known is None


@pytest.mark.parametrize("part", ["IRMAS-TrainingData", "IRMAS-TestingData-Part1", "IRMAS-TestingData-Part1/Part1"])
def test_a_part_of_irmas_may_be_given_alone(part: str, folders: dict[str, Path]) -> None:
    assert set(labelled_clips(folders["irmas"] / part).kinds) == {"training" if "Training" in part else "testing"}


def test_openmic_knows_what_somebody_listened_for(folders: dict[str, Path]) -> None:
    clips = labelled_clips(folders["openmic"])
    assert list(clips.groups) == ["bass", "flute", "guitar", "mandolin"]
    assert clips.groups["guitar"] == ("acoustic_guitar", "electric_guitar", "distorted_guitar")
    assert clips.groups["mandolin"] == ()
    assert clips.held == [["guitar"], ["bass"], ["mandolin"]]
    assert clips.kinds == ["train", "test", "recording"]
    assert clips.known is not None
    assert clips.known.tolist() == [[False, True, True, False], [True, True, False, False], [False, False, False, True]]


OPENMIC = "openmic-2018-aggregated-labels.csv"
BAD_FOLDERS = {
    "nothing": ({}, "holds no labelled clips; give .*timbrescope dataset.*labels.csv.*IRMAS.*OpenMIC"),
    "sounds without labels": ({"a.wav": "", "b.wav": ""}, "holds no labelled clips"),
    "an unfinished data set": ({"dataset.json": "{}"}, "no finished data set"),
    "an empty table": ({"labels.csv": ""}, "labels.csv cannot be read as a table"),
    "no rows": ({"labels.csv": "file,instruments\n"}, "at least one row with `file` and `instruments`"),
    "other columns": ({"labels.csv": "name,labels\na,b\n"}, "needs the columns `file` and `instruments`"),
    "a code that IRMAS lacks": ({"a.wav": "", "a.txt": "pia\nharp\n"}, "a.txt needs one label of IRMAS or more: cel, "),
    "no code": ({"a.wav": "", "a.txt": "\n"}, "a.txt needs one label of IRMAS"),
    "a sound of IRMAS without labels": ({"a.wav": "", "a.txt": "pia", "b.wav": ""}, "b.txt is missing"),
    "OpenMIC without columns": ({OPENMIC: "sample_key,relevance\na,1\n"}, "`sample_key`, `instrument` and `relevance`"),
    "OpenMIC without numbers": ({OPENMIC: "sample_key,instrument,relevance\na,flute,yes\n"}, "relevance from 0 to 1"),
    "OpenMIC out of range": ({OPENMIC: "sample_key,instrument,relevance\na,flute,3\n"}, "relevance from 0 to 1"),
    "OpenMIC without rows": ({OPENMIC: "sample_key,instrument,relevance\n"}, "at least one row"),
}


@pytest.mark.parametrize("case", BAD_FOLDERS)
def test_a_bad_folder_is_refused_in_one_sentence(case: str, tmp_path: Path) -> None:
    files, message = BAD_FOLDERS[case]
    for name, content in files.items():
        text(tmp_path / name, content)
    with pytest.raises(InputError, match=message) as error:
        labelled_clips(tmp_path)
    assert "\n" not in str(error.value)
