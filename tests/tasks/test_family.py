"""A task with one answer on its whole way: trained, measured, asked and explained by the commands that users have."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from core.audio import Audio, write_wav
from core.cli import app
from core.corpora.read import BuiltDataset
from core.errors import InputError
from core.explanation.relevance import label_relevance
from core.models.card import CARD, Card, read_card
from core.models.store import load_model
from core.synthesis.clip import compose
from core.training.config import TrainingConfig, TrainingPlan
from core.training.train import train
from tests.tasks.family import CONFIG, FAMILIES, FAMILY, SOLOS, build_solos


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def succeed(*arguments: object) -> str:
    result = run(*arguments)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def refused(*arguments: object) -> str:
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("timbrescope: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.fixture(scope="module")
def cello(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a cello alone."""
    path = tmp_path_factory.mktemp("sound") / "cello.wav"
    clip = compose("general;instruments=cello;duration=2;soundfont=timgm6mb@1")
    soundfile.write(path, clip.mix, clip.sample_rate)
    return path


def test_it_is_trained_with_its_own_loss_and_metrics(family_model: Path) -> None:
    card = read_card(family_model)
    assert (card.task, card.label_set, card.labels) == ("family", "families", list(FAMILIES.labels))
    assert card.thresholds == {}
    assert card.temperature > 0
    with (family_model / "training.csv").open() as curve:
        rows = list(csv.DictReader(curve))
    losses = [float(row["train_loss"]) for row in rows]
    assert losses[0] == pytest.approx(np.log(len(FAMILIES.labels)), rel=0.4), "at first it can only guess"
    assert losses[-1] < losses[0] / 2
    assert {"val_accuracy", "val_macro_f1", "val_loss"} <= set(rows[0])
    assert "val_mAP" not in rows[0]


def test_the_best_epoch_is_kept(family_model: Path, solos: Path) -> None:
    with (family_model / "training.csv").open() as curve:
        best = max(float(row["val_accuracy"]) for row in csv.DictReader(curve))
    model, source = load_model(str(family_model)), BuiltDataset(solos)
    held_out = range(SOLOS - CONFIG.validation, SOLOS)
    answers = model.outputs(source.features(held_out))["logits"].argmax(1)
    right = FAMILY.targets(source.held, model.labels)[held_out].argmax(1)
    assert np.mean(answers == right) == pytest.approx(best)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Solos that the model was not trained on."""
    return build_solos(tmp_path_factory.mktemp("fresh") / "solos", seed=1)


def test_it_is_measured_by_accuracy_with_intervals(family_model: Path, fresh: Path) -> None:
    report = json.loads(succeed("evaluate", "--model", family_model, "--data", fresh, "--json"))
    assert (report["clips"], report["unknown_labels"]) == (SOLOS, [])
    model, source = load_model(str(family_model)), BuiltDataset(fresh)
    answers = model.outputs(source.features(range(SOLOS)))["logits"].argmax(1)
    held = [FAMILY.labels_of(words)[0] for words in source.held]
    right = [model.labels[answer] == label for answer, label in zip(answers, held, strict=True)]
    assert report["accuracy"]["value"] == pytest.approx(np.mean(right))
    for name in ("accuracy", "macro_f1", "top3"):
        assert 0 <= report[name]["low"] <= report[name]["value"] <= report[name]["high"] <= 1
    assert report["top3"]["value"] >= report["accuracy"]["value"]
    assert {label: row["support"] for label, row in report["per_family"].items()} == {
        label: held.count(label) for label in FAMILIES.labels if label in held
    }
    counts = np.array(report["confusion"]["clips"])
    assert counts.sum() == SOLOS
    order = [report["confusion"]["called"].index(label) for label in report["confusion"]["when"]]
    assert counts[np.arange(len(order)), order].sum() / SOLOS == pytest.approx(report["accuracy"]["value"])


def test_it_is_not_measured_on_what_it_learned(family_model: Path, solos: Path) -> None:
    seen = SOLOS - CONFIG.validation
    assert f"trained on {seen} of these {SOLOS}" in refused("evaluate", "--model", family_model, "--data", solos)
    held_out = ("--data", solos, "--split", "validation", "--json")
    assert json.loads(succeed("evaluate", "--model", family_model, *held_out))["clips"] == CONFIG.validation


def test_its_measures_are_shown_and_kept(family_model: Path, fresh: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(family_model, tmp_path / "copy", ignore=shutil.ignore_patterns("training"))
    table = succeed("evaluate", "--model", copy, "--data", fresh, "--record", "solos")
    kept = json.loads((copy / "evaluation/solos.json").read_text())
    assert "{value:.3f} [{low:.2f}-{high:.2f}]".format(**kept["accuracy"]) in table
    assert all(label in table for label in kept["per_label"])
    summary = read_card(copy).evaluation["solos"]
    assert summary == {key: kept[key] for key in ("clips", "accuracy", "macro_f1", "top3")}


def test_words_that_it_does_not_know_are_left_out(family_model: Path, cello: Path, tmp_path: Path) -> None:
    for name in ("cello.wav", "kazoo.wav"):
        shutil.copy(cello, tmp_path / name)
    (tmp_path / "labels.csv").write_text("file,instruments\ncello.wav,cello\nkazoo.wav,kazoo\n")
    report = json.loads(succeed("evaluate", "--model", family_model, "--data", tmp_path, "--json"))
    assert report["clips"] == 1
    assert list(report["per_family"]) == ["strings"]
    (tmp_path / "labels.csv").write_text("file,instruments\ncello.wav,cello;tuba\n")
    sentence = refused("evaluate", "--model", family_model, "--data", tmp_path)
    assert "one family each" in sentence
    assert "cello, tuba" in sentence
    (tmp_path / "labels.csv").write_text("file,instruments\ncello.wav,kazoo\n")
    assert "has a label that the model family-tiny knows" in refused(
        "evaluate", "--model", family_model, "--data", tmp_path
    )


def test_it_answers_with_one_label(family_model: Path, cello: Path) -> None:
    (answer,) = json.loads(succeed("predict", cello, "--model", family_model, "--json"))
    assert (answer["model"], answer["task"], answer["duration_s"]) == ("family-tiny", "family", 2)
    assert list(answer["families"]) == list(FAMILIES.labels)
    assert sum(answer["families"].values()) == pytest.approx(1, abs=1e-4)
    assert answer["family"] == max(answer["families"], key=lambda label: answer["families"][label])
    assert not {"instruments", "detected"} & set(answer)
    timeline = answer["timeline"]["probabilities"]
    assert list(timeline) == list(FAMILIES.labels)
    assert np.allclose(np.sum(list(timeline.values()), axis=0), 1, atol=1e-4)
    table = succeed("predict", cello, "--model", family_model)
    assert "family" in table
    (first, *others) = [line for line in table.splitlines() if line.split()[0] in FAMILIES.labels]
    assert first.split()[0] == answer["family"]
    assert "detected" in first
    assert not any("detected" in line for line in others)


def test_silence_has_no_family(family_model: Path, tmp_path: Path) -> None:
    write_wav(tmp_path / "silence.wav", Audio(np.zeros(22050, np.float32), 22050))
    (answer,) = json.loads(succeed("predict", tmp_path / "silence.wav", "--model", family_model, "--json"))
    assert answer["family"] is None
    assert not any(answer["families"].values())


def test_its_answer_is_explained(family_model: Path, cello: Path, tmp_path: Path) -> None:
    (answer,) = json.loads(succeed("predict", cello, "--model", family_model, "--json"))
    arguments = ("--model", family_model, "--top", 2, "--out", tmp_path, "--json")
    report = json.loads(succeed("explain", cello, "--label", answer["family"], *arguments))
    assert report["label"] == answer["family"]
    assert report["probability"] == pytest.approx(answer["families"][answer["family"]], abs=1e-4)
    assert report["conservation_error"] < 0.01
    assert len(report["concepts"]) == 2
    relevance = np.load(tmp_path / "relevance.npz")["relevance"]
    assert relevance.sum() == pytest.approx(report["logit"], rel=0.01)
    assert (tmp_path / "masked.wav").stat().st_size > 40_000
    assert "knows no family 'cello'; choose from: keys, " in refused("explain", cello, "--label", "cello", *arguments)


@pytest.mark.parametrize("explainer", ["crp", "gradient_x_input", "integrated_gradients", "grad_cam"])
def test_any_explainer_explains_it(family_model: Path, explainer: str, solos: Path) -> None:
    model, source = load_model(str(family_model)), BuiltDataset(solos)
    index = next(number for number, words in enumerate(source.held) if FAMILY.labels_of(words) == ["brass"])
    logmel = source.features([index])[0].astype(np.float32)
    maps = label_relevance(model, logmel, ["brass", "keys"], explainer)
    logits = dict(zip(model.labels, model.logits(logmel[None])[0], strict=True))
    for label, found in maps.items():
        assert found.logit == pytest.approx(float(logits[label]), abs=1e-4)
        assert found.values.shape == logmel.shape
        assert np.isfinite(found.values).all()
    assert maps["brass"].values.any()
    assert not np.array_equal(maps["brass"].values, maps["keys"].values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "birdsong"}, "no task 'birdsong'; choose one of: family, genre, instruments"),
        ({"label_set": "general"}, "task family is about families, the label set general about instruments"),
        ({"task": "instruments"}, "task instruments is about instruments, the label set families about families"),
        ({"mix_share": 0.5}, "task family wants one; leave mix_share at 0"),
    ],
)
def test_what_does_not_fit_the_task_is_refused(change: dict, message: str, solos: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        train(TrainingPlan((TrainingConfig(**{**CONFIG.model_dump(), **change}),)), 1, solos, tmp_path)


def test_duets_cannot_be_learnt_from(tmp_path: Path) -> None:
    data = build_solos(tmp_path / "duets", "general;duration=1;count=2;soundfont=timgm6mb")
    with pytest.raises(InputError, match="one family each"):
        train(TrainingPlan((CONFIG,)), 1, data, tmp_path / "model")


def test_a_card_of_one_answer_has_no_thresholds(family_model: Path, tmp_path: Path) -> None:
    card = json.loads((family_model / CARD).read_text())
    (tmp_path / CARD).write_text(json.dumps({**card, "thresholds": {"keys": 0.5}}))
    with pytest.raises(InputError, match="a threshold for 'keys', which needs none"):
        Card.read(tmp_path / CARD, "")
