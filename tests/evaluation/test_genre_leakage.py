"""No model is measured on recordings that it was trained on: in whatever layout, fold or part of a corpus they come."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli import app
from core.corpora.corpus import Corpus, read_corpus, split_hash
from core.corpora.layouts.gtzan import lists
from core.errors import InputError
from core.evaluation.leakage import unseen
from core.models.card import Training
from tests.corpora import tiny
from tests.evaluation.genre import genre_model, training


def trained_on(*splits: str, **changes: object) -> Training:
    """A training on lists of GTZAN, together."""
    return training(split_hash=split_hash(frozenset().union(*(lists()[split] for split in splits))), **changes)


def gtzan_by_table(folder: Path) -> None:
    """Files of GTZAN in a table of somebody's own."""
    tiny.labelled_genres(folder, {f"mine/{track}.wav": track.partition(".")[0] for track in tiny.TRACKS})


WAYS: dict[str, Callable[[Path], None]] = {"sounds": tiny.gtzan, "log-mels": tiny.mels, "a table": gtzan_by_table}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("ways")
    for name, make in WAYS.items():
        make(root / name)
    return root


def ids(corpus: Corpus) -> set[str]:
    return {Path(item.id).name.removesuffix(".wav") for item in corpus.items}


@pytest.mark.parametrize("way", WAYS)
def test_what_was_trained_on_is_known_in_every_layout(way: str, folders: Path) -> None:
    corpus = read_corpus(folders / way)
    for split in (None, corpus.items[2].split):
        with pytest.raises(InputError, match=r"The model mine was trained on 3 of these \d clips") as error:
            unseen(corpus, split, "mine", trained_on("train"))
        assert "\n" not in str(error.value)
    before = trained_on("test", previous=trained_on("train"))
    with pytest.raises(InputError, match=r"trained on 4 of these 5 clips"):
        unseen(corpus, None, "mine", before)


@pytest.mark.parametrize("way", ["sounds", "log-mels"])
def test_what_was_held_out_is_open(way: str, folders: Path) -> None:
    corpus = read_corpus(folders / way)
    assert ids(unseen(corpus, "test", "mine", trained_on("train"))) == {"blues.00012"}
    assert ids(unseen(corpus, "valid", "mine", trained_on("train"))) == {"blues.00000"}
    assert ids(unseen(corpus, None, "mine", training(split_hash=split_hash(["somebody else's"])))) == set(tiny.TRACKS)
    with pytest.raises(InputError, match="with --split valid or with --split test or on other data"):
        unseen(corpus, "train", "mine", trained_on("train"))


@pytest.mark.parametrize("splits", [("train", "valid"), ("valid", "train"), ("train", "valid", "test")])
def test_several_lists_together_are_known(splits: tuple[str, ...], folders: Path) -> None:
    corpus = read_corpus(folders / "sounds")
    assert corpus.split_hash(*splits) == trained_on(*splits).split_hash
    for split in splits:
        with pytest.raises(InputError, match="was trained on"):
            unseen(corpus, split, "mine", trained_on(*splits))
    if "test" not in splits:
        assert ids(unseen(corpus, "test", "mine", trained_on(*splits))) == {"blues.00012"}


def test_of_the_folds_only_the_one_that_was_held_out_is_open(folders: Path) -> None:
    """The folds cross the lists, so no list is open whose items lie in a fold that was trained on."""
    corpus = read_corpus(folders / "log-mels")
    made = trained_on("fold2", "fold3")
    assert ids(unseen(corpus, "fold1", "mine", made)) == {"blues.00012", "metal.00002", "rock.00016"}
    with pytest.raises(InputError, match="was trained on 2 of these 2 clips"):
        unseen(corpus, "fold2", "mine", made)
    for split in ("train", "valid"):
        with pytest.raises(InputError, match="with --split test or with --split fold1 or on other data"):
            unseen(corpus, split, "mine", made)
    with pytest.raises(InputError, match="was trained on 1 of these 1 clips"):
        unseen(corpus, "test", "mine", trained_on("fold1"))


def test_a_part_of_a_corpus_is_known_as_a_part(tmp_path: Path) -> None:
    tiny.gtzan(tmp_path / "gtzan", ["metal.00002", "blues.00012"])
    with pytest.raises(InputError, match="was trained on 1 of these 2 clips"):
        unseen(read_corpus(tmp_path / "gtzan"), None, "mine", trained_on("train"))
    tiny.fma(tmp_path / "fma")
    made = training(recipe="fma", split_hash=read_corpus(tmp_path / "fma").split_hash("training"))
    (tmp_path / "fma/fma_small/000/000005.mp3").unlink()
    with pytest.raises(InputError, match="was trained on 1 of these 1 clips"):
        unseen(read_corpus(tmp_path / "fma"), "training", "mine", made)
    assert ids(unseen(read_corpus(tmp_path / "fma"), "test", "mine", made)) == {"000140"}


def test_a_folder_of_genres_that_was_trained_on(tmp_path: Path) -> None:
    tiny.genre_folders(tmp_path / "here")
    made = training(recipe="genre_folders", split_hash=read_corpus(tmp_path / "here").split_hash("train"))
    shutil.move(tmp_path / "here", tmp_path / "there")
    corpus = read_corpus(tmp_path / "there")
    with pytest.raises(InputError, match="was trained on 3 of these 9 clips"):
        unseen(corpus, None, "mine", made)
    assert len(unseen(corpus, "test", "mine", made)) == 3


def test_a_table_with_many_splits_knows_all_but_one(tmp_path: Path) -> None:
    rows = [f"{number}.wav,rock,part{number}" for number in range(10)]
    (tmp_path / "labels.csv").write_text("\n".join(["file,genre,split", *rows]))
    corpus = read_corpus(tmp_path)
    made = training(split_hash=corpus.split_hash(*(f"part{number}" for number in range(9))))
    assert ids(unseen(corpus, "part9", "mine", made)) == {"9"}
    with pytest.raises(InputError, match="was trained on 9 of these 10 clips"):
        unseen(corpus, None, "mine", made)


def test_the_command_refuses_in_one_line(folders: Path, tmp_path: Path) -> None:
    genre_model(tmp_path / "mine", made=trained_on("train"))
    command = ["evaluate", "--model", str(tmp_path / "mine"), "--data", str(folders / "log-mels"), "--split"]
    refused = CliRunner().invoke(app, [*command, "train"])
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "was trained on 3 of these 3 clips" in refused.stderr
    assert CliRunner().invoke(app, [*command, "test"]).exit_code == 0
