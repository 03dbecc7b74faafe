"""Evaluation of a model on built data sets, on recordings and on other data sets' folders, good and bad."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from core.audio import load, write_wav
from core.corpora.build import DatasetPlan, build_dataset
from core.corpora.corpus import Corpus, Item
from core.corpora.read import BuiltDataset
from core.corpora.sound import ComposedClip
from core.errors import InputError
from core.evaluation.evaluate import evaluate, grouped
from core.evaluation.metrics import summary
from core.evaluation.scores import scores
from core.frontends.frontend import FrontendConfig
from core.inference import recognise
from core.models.store import TrainedModel, load_model
from core.synthesis.clip import compose


@pytest.fixture(scope="module")
def model(tiny_model: Path) -> TrainedModel:
    return load_model(str(tiny_model))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "set"
    recipe = "general;duration=1;count=1,3;soundfont=timgm6mb"
    build_dataset(DatasetPlan(recipe, clips=20, seed=0, frontend=FrontendConfig()), folder, workers=1)
    return folder


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    """Four labelled files, one of them in a folder of its own, with a label that no model knows."""
    rows = [
        ("solo/one.wav", "piano", "solo"),
        ("two.flac", "flute;tuba", "mix"),
        ("three.wav", "violin; kazoo", "mix"),
        ("four.wav", "kazoo", "solo"),
    ]
    (tmp_path / "solo").mkdir()
    for seed, (file, _, _) in enumerate(rows):
        clip = compose(f"general;duration=1.5;soundfont=timgm6mb@{seed}")
        soundfile.write(tmp_path / file, clip.mix, clip.sample_rate)
    lines = ["file,instruments,kind,comment", *(",".join([*row, "none"]) for row in rows)]
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    return tmp_path


def test_a_built_data_set(model: TrainedModel, built: Path) -> None:
    calls: list[tuple[int, int]] = []
    report = evaluate(model, built, lambda done, total: calls.append((done, total)))
    data = BuiltDataset(built)
    targets = data.targets(model.labels)
    probabilities = model.probabilities(model.logits(data.features(range(20))))
    detected = (probabilities >= 0.5).astype(np.float32)
    assert report.clips == 20
    assert report.model == "tiny"
    assert report.data == {"source": "built", "recipe": "general;duration=1;count=1,3;soundfont=timgm6mb", "seed": 0}
    assert report.groups == {}
    assert report.unknown_labels == ()
    for name, value in summary(targets, probabilities, detected).items():
        assert getattr(report, name).value == pytest.approx(value, abs=1e-4)
        assert getattr(report, name).low < getattr(report, name).high
    supports = {label: int(count) for label, count in zip(model.labels, targets.sum(0), strict=True) if count}
    assert {label: row.support for label, row in report.per_instrument.items()} == supports
    assert sum(row.clips for row in report.by_count.values()) == 20
    assert sum(row.clips for row in report.by_kind.values()) == 20
    assert set(report.by_count) <= {"1", "2", "3"}
    mixed = sum(row.clips * int(count) for count, row in report.by_count.items() if count != "1")
    assert sum(row.support for row in report.by_level.values()) == mixed, "alone, nothing has a level"
    assert report.by_level["-inf"].mAP == report.mAP
    assert set(report.by_kind) <= {"random", "musical"}
    assert calls[-1] == (20, 20)


def test_a_folder_of_recordings(model: TrainedModel, recordings: Path) -> None:
    report = evaluate(model, recordings)
    assert report.clips == 4
    assert report.data == {"source": "folder", "folder": recordings.name}
    assert report.unknown_labels == ("kazoo",)
    assert set(report.per_instrument) == {"piano", "flute", "tuba", "violin"}
    assert {kind: row.clips for kind, row in report.by_kind.items()} == {"solo": 2, "mix": 2}
    assert {count: row.clips for count, row in report.by_count.items()} == {"1": 2, "2": 2}
    sound = load(recordings / "two.flac")
    heard = recognise(model, model.frontend.analyse(sound)).probabilities[model.label_index("flute")]
    assert report.per_instrument["flute"].f1.value == float(heard >= 0.5)


def words(groups: dict[str, tuple[str, ...]], held: list[list[str]], **rest: Any) -> Corpus:
    items = [Item(f"wimu12@{row}", ComposedClip(f"wimu12@{row}"), tuple(each), "x") for row, each in enumerate(held)]
    return Corpus({"source": "made up"}, groups, tuple(items), **rest)


def test_a_word_for_several_labels_is_scored_as_one(model: TrainedModel) -> None:
    guitars = ("acoustic_guitar", "electric_guitar", "distorted_guitar")
    clips = words({"guitar": guitars, "voi": ("voice",), "ukulele": ()}, [["guitar"], ["voi"], ["ukulele"]])
    probabilities = np.full((3, 29), 0.1, np.float32)
    probabilities[0, model.label_index("electric_guitar")] = 0.7
    probabilities[1, model.label_index("piano")] = 0.9
    probabilities[1, model.label_index("voice")] = 0.3
    answers = grouped(model, clips, probabilities)
    assert list(answers.labels) == ["guitar", "voice"]
    assert list(answers.families) == ["plucked", "voice"]
    assert np.allclose(answers.probabilities, [[0.7, 0.1], [0.1, 0.3], [0.1, 0.1]])
    assert answers.detected.tolist() == [[True, False], [False, False], [False, False]]
    report = scores(answers)
    assert report.per_instrument["guitar"].ap.value == 1
    assert report.top1_solo.value == pytest.approx(2 / 3, abs=1e-4)


def test_each_label_of_a_group_has_its_own_threshold(model: TrainedModel) -> None:
    thresholds = {**model.card.thresholds, "electric_guitar": 0.8, "distorted_guitar": 0.2}
    strict = dataclasses.replace(model, card=model.card.model_copy(update={"thresholds": thresholds}))
    clips = words({"gel": ("electric_guitar", "distorted_guitar")}, [["gel"], ["gel"]])
    probabilities = np.zeros((2, 29), np.float32)
    probabilities[:, model.label_index("electric_guitar")] = 0.7
    probabilities[1, model.label_index("distorted_guitar")] = 0.3
    assert grouped(strict, clips, probabilities).detected.tolist() == [[False], [True]]


def test_labels_that_nobody_checked_are_not_scored(model: TrainedModel) -> None:
    known = np.array([[True, False, True], [True, True, True], [True, True, False]])
    groups: dict[str, tuple[str, ...]] = {"flute": ("flute",), "banjo": ("banjo",), "mandolin": ()}
    clips = words(groups, [["flute"], ["banjo"], ["banjo", "flute"]], known=known)
    probabilities = np.zeros((3, 29), np.float32)
    probabilities[:, model.label_index("banjo")] = 0.9, 0.8, 0.7
    answers = grouped(model, clips, probabilities)
    assert answers.complete.tolist() == [False, True, False]
    report = scores(answers)
    assert report.per_instrument["banjo"].ap.value == 1, "the first clip's banjo is nobody's to judge"
    assert report.per_instrument["banjo"].support == 2
    assert {count: row.clips for count, row in report.by_count.items()} == {"1": 1}


def test_the_folder_of_irmas(model: TrainedModel, tmp_path: Path) -> None:
    for file in ("cel/1.wav", "gel/1.wav", "Part1/song.wav"):
        (tmp_path / file).parent.mkdir()
        write_wav(tmp_path / file, compose("general;duration=1;count=1;soundfont=timgm6mb@3").audio)
    (tmp_path / "Part1/song.txt").write_text("gel\t\nvoi\t")
    report = evaluate(model, tmp_path)
    assert report.clips == 3
    assert report.data == {"source": "irmas", "folder": tmp_path.name, "licence": "CC BY-NC-SA 3.0"}
    assert report.groups == {"gel": ("electric_guitar", "distorted_guitar")}
    assert {label: row.support for label, row in report.per_instrument.items()} == {
        "cello": 1,
        "gel": 2,
        "voice": 1,
    }
    assert {kind: row.clips for kind, row in report.by_kind.items()} == {"training": 2, "testing": 1}
    assert len(report.confusion.called) == 11


def test_the_folder_of_openmic(model: TrainedModel, tmp_path: Path) -> None:
    rows = ["000_1,guitar,0.9,3", "000_1,flute,0.1,3", "154_2,mandolin,1,3", "154_2,flute,0.8,3"]
    for key in ("000_1", "154_2"):
        (tmp_path / "audio" / key[:3]).mkdir(parents=True)
        clip = compose("general;duration=1;count=1;soundfont=timgm6mb@3")
        soundfile.write(tmp_path / f"audio/{key[:3]}/{key}.ogg", clip.mix, clip.sample_rate)
    table = "\n".join(["sample_key,instrument,relevance,num_responses", *rows])
    (tmp_path / "openmic-2018-aggregated-labels.csv").write_text(table)
    report = evaluate(model, tmp_path)
    assert report.unknown_labels == ("mandolin",)
    assert report.groups == {"guitar": ("acoustic_guitar", "electric_guitar", "distorted_guitar")}
    assert {label: row.support for label, row in report.per_instrument.items()} == {"flute": 1, "guitar": 1}
    assert report.by_count == {}
    assert report.top1_solo.value is None


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "holds no labelled clips"),
        ("", "cannot be read as a table"),
        ("file,instruments\n", "at least one row"),
        ("name,labels\na.wav,piano\n", "columns `file` and `instruments`"),
        ("file,instruments\nmissing.wav,piano\n", "missing.wav"),
        ("file,instruments\none.wav,kazoo\n", "No clip in .* has a label that the model tiny knows"),
        ("file,instruments\none.wav,\n", "at least one row"),
        ('file,instruments\n"one.wav,piano\n', "cannot be read as a table"),
        (b"file,instruments\n\xff\xfe\xfa,piano\n", "cannot be read as a table"),
    ],
)
def test_broken_tables(model: TrainedModel, table: str | bytes | None, message: str, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "one.wav", np.sin(np.arange(22050) / 10), 22050)
    if table is not None:
        (tmp_path / "labels.csv").write_bytes(table.encode() if isinstance(table, str) else table)
    with pytest.raises(InputError, match=message) as error:
        evaluate(model, tmp_path)
    assert "\n" not in str(error.value)


def test_clips_are_composed_anew_for_a_model_that_sees_other_features(model: TrainedModel, tmp_path: Path) -> None:
    reports = []
    for bands in (40, FrontendConfig().bands):
        plan = DatasetPlan("wimu12;duration=1;soundfont=timgm6mb", 4, 0, FrontendConfig(bands=bands))
        build_dataset(plan, tmp_path / str(bands), workers=1)
        reports.append(evaluate(model, tmp_path / str(bands)))
    anew, stored = reports
    assert anew.data == stored.data
    assert anew.per_instrument == stored.per_instrument


def test_the_items_of_a_split_alone(model: TrainedModel, recordings: Path) -> None:
    table = recordings / "labels.csv"
    head, *rows = table.read_text().splitlines()
    splits = ["split", "train", "test", "test", "train"]
    table.write_text("\n".join(f"{row},{split}" for row, split in zip([head, *rows], splits, strict=True)))
    assert evaluate(model, recordings).clips == 4
    report = evaluate(model, recordings, split="test")
    assert report.clips == 2
    assert report.data == {"source": "folder", "folder": recordings.name, "split": "test"}
    assert set(report.per_instrument) == {"flute", "tuba", "violin"}
    with pytest.raises(InputError, match="no split 'valid'; choose one of: train, test"):
        evaluate(model, recordings, split="valid")


def test_a_folder_that_is_not_there(model: TrainedModel, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no labelled clips"):
        evaluate(model, tmp_path / "nowhere")
