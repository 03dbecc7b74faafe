"""Every layout of a corpus: a contract for all that are registered, then what is special about each."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.audio import SAMPLE_RATE, Audio, write_wav
from core.corpora.build import DatasetPlan, build_dataset
from core.corpora.corpus import LAYOUTS, read_corpus
from core.corpora.sound import SoundFile, StoredClip
from core.errors import InputError
from core.frontends.frontend import FrontendConfig, frontend
from core.taxonomy.instruments import INSTRUMENTS

TONE = np.sin(np.arange(SAMPLE_RATE // 4) / 10) / 2


def sound(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".wav":
        write_wav(path, Audio(TONE, SAMPLE_RATE))
    else:
        soundfile.write(path, TONE, SAMPLE_RATE)


def text(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def built(folder: Path) -> None:
    build_dataset(DatasetPlan("wimu12;duration=1;count=2;soundfont=timgm6mb", 3, 4, FrontendConfig()), folder, 1)


def recordings(folder: Path) -> None:
    for name in ("1.wav", "deep/2.flac"):
        sound(folder / name)
    text(folder / "labels.csv", "file,instruments,kind,split\n1.wav,piano; kazoo,live,test\ndeep/2.flac,tuba,,\n")


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


def test_every_layout_is_tested() -> None:
    assert set(MAKERS) == set(LAYOUTS)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_recognises_its_own_folders_alone(name: str, folders: dict[str, Path], tmp_path: Path) -> None:
    assert [other for other, folder in folders.items() if LAYOUTS.get(name).recognises(folder)] == [name]
    assert not LAYOUTS.get(name).recognises(tmp_path)
    assert not LAYOUTS.get(name).recognises(tmp_path / "nowhere")


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_a_layout_promises(name: str, folders: dict[str, Path]) -> None:
    corpus = read_corpus(folders[name])
    assert corpus.description["source"] == name
    assert str(folders[name].parent) not in str(corpus.description)
    assert len(corpus) == len(corpus.items) > 0
    assert len({item.id for item in corpus.items}) == len(corpus)
    assert not any(str(folders[name]) in item.id for item in corpus.items), "an id does not tell where the folder lies"
    assert {word for item in corpus.items for word in item.labels} <= set(corpus.groups)
    assert all(item.kind for item in corpus.items)
    lengths = [item.sound.load().duration for item in corpus.items]
    assert lengths == pytest.approx([1.0 if name == "built" else 0.25] * len(corpus), abs=0.01)
    if corpus.known is not None:
        assert corpus.known.shape == (len(corpus), len(corpus.groups))
        words = list(corpus.groups)
        held = [(row, words.index(word)) for row, item in enumerate(corpus.items) for word in item.labels]
        assert all(corpus.known[place] for place in held)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_corpus_is_the_same_wherever_it_lies(name: str, folders: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(folders[name], tmp_path / name)
    here, there = (read_corpus(folder) for folder in (folders[name], tmp_path / name))
    assert [item.id for item in here.items] == [item.id for item in there.items]
    assert [here.split_hash(split) for split in here.splits] == [there.split_hash(split) for split in there.splits]


@pytest.mark.parametrize("name", ["irmas", "openmic"])
def test_words_stand_for_labels_of_the_taxonomy(name: str, folders: dict[str, Path]) -> None:
    labels = [label for group in read_corpus(folders[name]).groups.values() for label in group]
    assert set(labels) <= set(INSTRUMENTS)
    assert len(labels) == len(set(labels)), "a label belongs to one word"


def test_a_built_data_set(folders: dict[str, Path]) -> None:
    corpus = read_corpus(folders["built"])
    recipe = "wimu12;duration=1;count=2;soundfont=timgm6mb"
    assert corpus.description == {"source": "built", "recipe": recipe, "seed": 4}
    plan = DatasetPlan(recipe, 3, 4, FrontendConfig())
    assert [item.id for item in corpus.items] == [plan.clip_name(row) for row in range(3)]
    assert all(len(item.labels) == 2 for item in corpus.items)
    assert corpus.splits == ()
    for row, item in enumerate(corpus.items):
        assert isinstance(item.sound, StoredClip)
        assert (item.sound.name, item.sound.row) == (item.id, row)
        heard = frontend(FrontendConfig()).analyse(item.sound.load()).features.astype(np.float16)
        assert np.array_equal(item.sound.dataset.features([row])[0], heard)


def test_a_folder_of_recordings(folders: dict[str, Path]) -> None:
    corpus = read_corpus(folders["folder"])
    assert corpus.description["folder"] == "folder"
    assert [item.id for item in corpus.items] == ["1.wav", "deep/2.flac"]
    assert [item.labels for item in corpus.items] == [("piano", "kazoo"), ("tuba",)]
    assert [item.kind for item in corpus.items] == ["live", "recording"]
    assert [item.split for item in corpus.items] == ["test", None]
    assert [item.sound for item in corpus.items] == [SoundFile(folders["folder"] / item.id) for item in corpus.items]
    assert set(corpus.groups) == {*INSTRUMENTS, "kazoo"}


def test_irmas_training_and_testing_data(folders: dict[str, Path]) -> None:
    corpus = read_corpus(folders["irmas"])
    assert sorted((item.split, item.kind, item.labels) for item in corpus.items) == [
        ("testing", "testing", ("gel", "pia", "voi")),
        ("training", "training", ("cel",)),
        ("training", "training", ("gel",)),
    ]
    assert corpus.groups["gel"] == ("electric_guitar", "distorted_guitar")
    assert len(corpus.groups) == 11
    assert corpus.known is None
    assert corpus.licence == "CC BY-NC-SA 3.0"


@pytest.mark.parametrize("part", ["IRMAS-TrainingData", "IRMAS-TestingData-Part1", "IRMAS-TestingData-Part1/Part1"])
def test_a_part_of_irmas_may_be_given_alone(
    part: str, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    split = "training" if "Training" in part else "testing"
    monkeypatch.chdir(folders["irmas"] / part)
    alone, whole = read_corpus(Path()), read_corpus(folders["irmas"])
    assert alone.splits == (split,)
    assert alone.split_hash(split) == whole.split_hash(split), "ids are those of the whole"


def test_openmic_says_what_somebody_listened_for(folders: dict[str, Path]) -> None:
    corpus = read_corpus(folders["openmic"])
    assert list(corpus.groups) == ["bass", "flute", "guitar", "mandolin"]
    assert corpus.groups["guitar"] == ("acoustic_guitar", "electric_guitar", "distorted_guitar")
    assert corpus.groups["mandolin"] == ()
    assert [item.id for item in corpus.items] == ["000046_3840", "154_0", "154_9"]
    assert [item.labels for item in corpus.items] == [("guitar",), ("bass",), ("mandolin",)]
    assert [item.kind for item in corpus.items] == ["train", "test", "recording"]
    assert [item.split for item in corpus.items] == ["train", "test", None]
    assert corpus.known is not None
    unheard = [[False, True, True, False], [True, True, False, False], [False, False, False, True]]
    assert corpus.known.tolist() == unheard


OPENMIC = "openmic-2018-aggregated-labels.csv"
OPENMIC_ROW = "sample_key,instrument,relevance\na,flute,1\n"
BAD_FOLDERS: dict[str, tuple[dict[str, str | bytes], str]] = {
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
    "OpenMIC with an excerpt in both splits": (
        {OPENMIC: OPENMIC_ROW, "partitions/split01_train.csv": "b\na\n", "partitions/split01_test.csv": "c\na\n"},
        "partitions lists a for training and for testing",
    ),
    "OpenMIC with a partition that is no text": (
        {OPENMIC: OPENMIC_ROW, "partitions/split01_train.csv": b"\xff\xfe\xfa"},
        "split01_train.csv cannot be read as a list",
    ),
    "a file in two splits": (
        {"labels.csv": "file,instruments,split\na.wav,piano,train\n./a.wav,piano,test\n"},
        "'a.wav' is listed more than once",
    ),
}


@pytest.mark.parametrize("case", BAD_FOLDERS)
def test_a_bad_folder_is_refused_in_one_sentence(case: str, tmp_path: Path) -> None:
    files, message = BAD_FOLDERS[case]
    for name, content in files.items():
        text(tmp_path / name, content)
    with pytest.raises(InputError, match=message) as error:
        read_corpus(tmp_path)
    assert "\n" not in str(error.value)
