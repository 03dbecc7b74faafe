"""Evaluation of a model on a built data set and on folders of recordings, good and bad."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.datasets.build import DatasetPlan, build_dataset
from core.datasets.read import BuiltDataset
from core.errors import InputError
from core.evaluation.evaluate import Answers, evaluate, scores
from core.evaluation.metrics import summary
from core.frontend import FrontendConfig
from core.models.store import TrainedModel, load_model
from core.recognition import recognise
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
    assert report["clips"] == 20
    assert report["model"] == "tiny"
    assert report["unknown_labels"] == []
    for name, value in summary(targets, probabilities, detected).items():
        assert report[name] == pytest.approx(value, abs=1e-4)
    supports = {label: int(count) for label, count in zip(model.labels, targets.sum(0), strict=True) if count}
    assert {label: row["support"] for label, row in report["per_instrument"].items()} == supports
    assert sum(row["clips"] for row in report["by_count"].values()) == 20
    assert sum(row["clips"] for row in report["by_kind"].values()) == 20
    assert set(report["by_count"]) <= {"1", "2", "3"}
    assert set(report["by_kind"]) <= {"random", "musical"}
    assert calls[-1] == (20, 20)


def test_a_slice_is_the_score_of_its_clips(model: TrainedModel) -> None:
    rng = np.random.default_rng(0)
    held = [["piano"], ["flute", "tuba"], ["tuba"], ["piano", "flute"], ["violin"]]
    answers = Answers(held, ["a", "a", "b", "b", "b"], rng.random((5, len(model.labels))).astype(np.float32))
    report = scores(model, answers)
    alone = scores(model, Answers(held[2:], ["b"] * 3, answers.probabilities[2:]))
    assert {**report["by_kind"]["b"]} == {**{key: alone[key] for key in ("mAP", "macro_f1", "micro_f1")}, "clips": 3}
    solos = [0, 2, 4]
    right = [model.labels[answers.probabilities[i].argmax()] == held[i][0] for i in solos]
    assert report["top1_solo"] == pytest.approx(np.mean(right), abs=1e-4)


def test_perfect_answers_score_one(model: TrainedModel) -> None:
    held = [["piano"], ["flute", "tuba"]]
    perfect = np.array([[float(label in labels) for label in model.labels] for labels in held], np.float32)
    report = scores(model, Answers(held, ["x", "x"], perfect))
    assert (report["mAP"], report["macro_f1"], report["micro_f1"], report["top1_solo"]) == (1, 1, 1, 1)


def test_a_folder_of_recordings(model: TrainedModel, recordings: Path) -> None:
    report = evaluate(model, recordings)
    assert report["clips"] == 4
    assert report["unknown_labels"] == ["kazoo"]
    assert set(report["per_instrument"]) == {"piano", "flute", "tuba", "violin"}
    assert {kind: row["clips"] for kind, row in report["by_kind"].items()} == {"solo": 2, "mix": 2}
    assert {count: row["clips"] for count, row in report["by_count"].items()} == {"1": 2, "2": 2}
    sound, _ = soundfile.read(recordings / "two.flac", dtype="float32")
    heard = recognise(model, model.frontend.analyse(sound)).probabilities[model.label_index("flute")]
    assert report["per_instrument"]["flute"]["f1"] == float(heard >= 0.5)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (None, "neither a built data set"),
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


def test_a_data_set_of_another_frontend(model: TrainedModel, tmp_path: Path) -> None:
    plan = DatasetPlan("wimu12;duration=1;soundfont=timgm6mb", 2, 0, FrontendConfig(bands=40))
    build_dataset(plan, tmp_path / "set", workers=1)
    with pytest.raises(InputError, match="another frontend"):
        evaluate(model, tmp_path / "set")


def test_a_folder_that_is_not_there(model: TrainedModel, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither a built data set"):
        evaluate(model, tmp_path / "nowhere")
