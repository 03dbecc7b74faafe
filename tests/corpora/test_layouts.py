"""Every layout of a corpus: a contract for all that are registered, then what is special about each."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.audio import SAMPLE_RATE, Audio, write_wav
from core.corpora.build import DatasetPlan, build_dataset
from core.corpora.corpus import LAYOUTS, read_corpus
from core.corpora.sound import SoundFile, StoredClip, StoredMel
from core.errors import InputError
from core.frontends.frontend import FrontendConfig, frontend
from core.taxonomy.instruments import INSTRUMENTS
from tests.corpora import tiny

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
    "built": built, "folder": recordings, "irmas": irmas, "openmic": openmic,
    "gtzan": tiny.gtzan, "fma": tiny.fma, "genre_folders": tiny.genre_folders, "mels": tiny.mels,
}  # fmt: skip
LENGTHS = {"built": 1.0, **dict.fromkeys(("gtzan", "fma", "genre_folders"), 1.0)}  # of each sound, in seconds


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
    for item in corpus.items:
        if isinstance(item.sound, StoredMel):
            assert item.sound.mel_power().shape == (128, tiny.COLUMNS)
        else:
            assert item.sound.load().duration == pytest.approx(LENGTHS.get(name, 0.25), abs=0.01)
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


def test_gtzan_lies_in_several_ways_and_its_excerpts_are_always_the_same(tmp_path: Path) -> None:
    ways = {"genres": ".au", "genres_original": ".wav", "Data/genres_original": ".wav", "": ".flac"}
    for number, (place, suffix) in enumerate(ways.items()):
        tiny.gtzan(tmp_path / str(number), place=place, suffix=suffix)
    inside = [*(tmp_path / str(number) for number in range(4)), tmp_path / "0/genres", tmp_path / "1/genres_original"]
    first, *others = [read_corpus(folder) for folder in inside]
    for other in others:
        assert [replace(item, sound=first.items[0].sound) for item in other.items] == [
            replace(item, sound=first.items[0].sound) for item in first.items
        ]


def test_excerpts_of_gtzan(folders: dict[str, Path]) -> None:
    corpus = read_corpus(folders["gtzan"])
    assert [item.id for item in corpus.items] == list(tiny.TRACKS)
    assert {item.id: item.split for item in corpus.items} == tiny.SPLITS
    blues = corpus.items[0]
    assert (blues.labels, blues.fold, blues.artist) == (("blues",), "fold2", "John Lee Hooker")
    assert blues.title == "One Bourbon, One Scotch And One Beer"
    assert blues.sound == SoundFile(folders["gtzan"] / "genres/blues/blues.00000.wav")
    assert corpus.splits == ("valid", "test", "train", "fold2", "fold1")
    assert len(corpus.groups) == 10
    assert corpus.groups["hiphop"] == ("hiphop", "Hip-Hop")


def test_a_part_of_gtzan_has_the_splits_of_the_whole(folders: dict[str, Path], tmp_path: Path) -> None:
    tiny.gtzan(tmp_path / "part", ["blues.00012", "metal.00002"])
    part, whole, stored = (read_corpus(each) for each in (tmp_path / "part", folders["gtzan"], folders["mels"]))
    assert len(part.split_ids["train"]) == 443
    for split in ("train", "test", "fold1"):
        assert part.split_hash(split) == whole.split_hash(split) == stored.split_hash(split)


def test_files_beside_those_of_gtzan_are_not_its_excerpts(tmp_path: Path) -> None:
    tiny.gtzan(tmp_path)
    for file in ("genres/blues/blues.00000.mf", "genres/blues/blues.00100.wav", "genres/pop/song.wav"):
        text(tmp_path / file, "")
    assert len(read_corpus(tmp_path)) == len(tiny.TRACKS)


def test_fma_small(folders: dict[str, Path]) -> None:
    corpus = read_corpus(folders["fma"])
    assert [(item.id, item.labels, item.split, item.artist, item.title) for item in corpus.items] == [
        ("000002", ("Hip-Hop",), "training", "AWOL", "Food"),
        ("000005", ("Rock",), "training", "AWOL", "This, World"),
        ("000140", ("Pop",), "test", "Abominog", "Sunday"),
        ("098565", ("Folk",), "validation", None, None),
    ]
    assert corpus.items[0].sound == SoundFile(folders["fma"] / "fma_small/000/000002.mp3")


def test_a_part_of_fma_small_has_the_splits_of_the_whole(folders: dict[str, Path], tmp_path: Path) -> None:
    tiny.fma(tmp_path, missing=["000005"])
    part = read_corpus(tmp_path)
    assert [item.id for item in part.items] == ["000002", "000140", "098565"]
    assert part.split_hash("training") == read_corpus(folders["fma"]).split_hash("training")


def test_a_folder_for_each_genre(folders: dict[str, Path], tmp_path: Path) -> None:
    corpus = read_corpus(folders["genre_folders"])
    assert [item.id for item in corpus.items[:4]] == [*(f"Hip Hop/song {n}.flac" for n in range(3)), "rock/song 0.flac"]
    assert corpus.groups == {"Hip Hop": ("hiphop", "Hip-Hop"), "rock": ("rock", "Rock"), "zydeco": ("zydeco",)}
    for genre in corpus.groups:
        assert sorted(item.split or "" for item in corpus.items if item.labels == (genre,)) == [
            "test",
            "train",
            "valid",
        ]
    tiny.genre_folders(tmp_path, files=20)
    more = read_corpus(tmp_path)
    splits = [item.split for item in more.items if item.labels == ("rock",)]
    assert {split: splits.count(split) for split in ("train", "valid", "test")} == {"train": 14, "valid": 3, "test": 3}


def test_folders_that_are_not_named_after_genres_are_none(tmp_path: Path) -> None:
    sound(tmp_path / "holidays/1.wav")
    with pytest.raises(InputError, match="holds no labelled clips"):
        read_corpus(tmp_path)


def test_precomputed_features(folders: dict[str, Path], tmp_path: Path) -> None:
    corpus, sounds = read_corpus(folders["mels"]), read_corpus(folders["gtzan"])
    assert [replace(item, sound=sounds.items[0].sound) for item in corpus.items] == [
        replace(item, sound=sounds.items[0].sound) for item in sounds.items
    ], "the same excerpts as the sound files"
    tiny.mels(tmp_path, ["one", "two"])
    others = read_corpus(tmp_path)
    assert [(item.id, item.labels, item.split, item.artist, item.title) for item in others.items] == [
        (name, ("rock",), "test", "Somebody", "Song") for name in ("one", "two")
    ]
    assert others.groups == {"rock": ("rock", "Rock")}


def test_a_table_of_genres(tmp_path: Path) -> None:
    tiny.labelled_genres(tmp_path)
    corpus = read_corpus(tmp_path)
    assert [(item.id, item.labels, item.split, item.artist) for item in corpus.items] == [
        ("a.wav", ("rock",), "test", "Nobody"), ("b.flac", ("jazz",), "test", "Nobody"),
    ]  # fmt: skip
    assert corpus.groups == {"jazz": ("jazz",), "rock": ("rock", "Rock")}
    assert corpus.about("genre") is corpus


def test_a_table_of_instruments_and_genres(tmp_path: Path) -> None:
    text(tmp_path / "labels.csv", "file,instruments,genre\na.wav,piano;tuba,jazz\nb.wav,violin,\nc.wav,,rock\n")
    corpus = read_corpus(tmp_path)
    assert [(item.id, item.labels) for item in corpus.items] == [("a.wav", ("piano", "tuba")), ("b.wav", ("violin",))]
    genres = corpus.about("genre")
    assert [(item.id, item.labels) for item in genres.items] == [("a.wav", ("jazz",)), ("c.wav", ("rock",))]
    assert corpus.about("instrument") is corpus
    text(tmp_path / "labels.csv", "file,instruments,genre\na.wav,piano,\n")
    assert read_corpus(tmp_path).about("genre").items[0].labels == ("piano",), "there are no genres"


OPENMIC = "openmic-2018-aggregated-labels.csv"
FMA = "fma_metadata/tracks.csv"
FMA_HEADER = ",set,set,track,artist,track\n,split,subset,genre_top,name,title\ntrack_id,,,,,\n"
OPENMIC_ROW = "sample_key,instrument,relevance\na,flute,1\n"
BAD_FOLDERS: dict[str, tuple[dict[str, str | bytes], str]] = {
    "nothing": ({}, "holds no labelled clips; give .*timbrescope dataset.*labels.csv.*IRMAS.*OpenMIC"),
    "sounds without labels": ({"a.wav": "", "b.wav": ""}, "holds no labelled clips"),
    "an unfinished data set": ({"dataset.json": "{}"}, "no finished data set"),
    "an empty table": ({"labels.csv": ""}, "labels.csv cannot be read as a table"),
    "no rows": ({"labels.csv": "file,instruments\n"}, "at least one row with `file` and `instruments`"),
    "other columns": (
        {"labels.csv": "name,labels\na,b\n"},
        "needs the columns `file` and `instruments`, or `file` and `genre`",
    ),
    "genres without files": ({"labels.csv": "name,genre\na,rock\n"}, "needs the columns `file` and `genre`"),
    "FMA without columns": ({FMA: ",set\n,split\ntrack_id,\n2,training\n"}, "no column set subset; download"),
    "FMA without clips in its table": ({FMA: FMA_HEADER}, "tracks.csv (lists no clip|cannot be read)"),
    "FMA without sounds": ({FMA: f"{FMA_HEADER}2,training,small,Rock,x,y\n"}, "fma_small holds no clip .* unpack"),
    "FMA with an unknown genre": ({FMA: f"{FMA_HEADER}2,training,small,Polka,x,y\n"}, "names Polka as the genre"),
    "FMA that is empty": ({FMA: ""}, "cannot be read as a table"),
    "log-mels that are none": ({"index.csv": "track_id,genre\na,rock\n", "logmel.npz": "no"}, "logmel.npz is damaged"),
    "an index without genres": ({"index.csv": "track_id\na\n", "logmel.npz": "no"}, "`track_id` and `genre`"),
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
