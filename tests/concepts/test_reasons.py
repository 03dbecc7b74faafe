"""Reasons are found on reference clips: what is mixed is taken apart again, and interruptions change nothing."""

import hashlib
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from core.cli import app
from core.concepts import build, reasons
from core.concepts.atlas import Factor, Reasons
from core.concepts.reasons import PARTS, Evidence, find_patterns, find_reasons
from core.concepts.store import REASONS, dictionary_of, load_reasons
from core.errors import InputError
from core.explanation.reasons import shares
from core.explanation.relevance import trace_of
from core.explanation.targets import Logit
from core.models.store import TrainedModel
from core.synthesis.clip import Clip, compose
from core.synthesis.recipe import recipe
from tests.concepts.small import CLIPS, RECIPE


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of three clips, four reasons, and no probes: every mixture responds to plucked sounds."""

    def tunings(model: TrainedModel, layer: str, weights: np.ndarray, on_progress: object) -> list[list[Factor]]:
        assert weights.shape == (model.network.stage(layer).channels, 4)
        return [[Factor("family", "plucked", 0.9, "AUC")] for _ in weights.T]

    monkeypatch.setattr(reasons, "mixture_tunings", tunings)
    monkeypatch.setattr(reasons, "REASONS", 4)
    monkeypatch.setattr(build, "CHUNK", 3)


@pytest.fixture
def found(folder: Path) -> Reasons:
    return find_reasons(str(folder), CLIPS, recipe=RECIPE, workers=1)


def fingerprint(folder: Path) -> str:
    return hashlib.sha256((folder / REASONS).read_bytes()).hexdigest()


def test_patterns_that_were_mixed_are_found_again() -> None:
    rng = np.random.default_rng(0)
    true = np.zeros((12, 3), np.float32)
    for number in range(3):
        true[4 * number : 4 * number + 4, number] = rng.uniform(0.1, 0.4, 4)
    true /= true.sum(0)
    strengths = rng.exponential(size=(20, 3, 2 * 5)).astype(np.float32) ** 2
    relevance = (true @ strengths).reshape(20, 12, 2, 5)
    relevance[:, :, 0, 0] = -1  # what speaks against says nothing about the patterns
    patterns = find_patterns(Evidence(np.zeros((20, 2), np.int64), relevance, np.ones((20, 12), np.float32)), count=3)
    np.testing.assert_allclose(patterns.sum(0), 1, rtol=1e-5)
    likeness = patterns.T @ true / np.outer(np.linalg.norm(patterns, axis=0), np.linalg.norm(true, axis=0))
    assert sorted(likeness.argmax(0).tolist()) == [0, 1, 2]
    assert likeness.max(0).min() > 0.97


def test_nothing_to_learn_from_is_refused() -> None:
    empty = Evidence(np.zeros((0, 2), np.int64), np.zeros((0, 8, 2, 2), np.float32), np.ones((3, 8), np.float32))
    with pytest.raises(InputError, match="--clips"):
        find_patterns(empty, count=2)


def test_the_reasons_of_a_model(found: Reasons) -> None:
    assert (found.model, found.layer, found.clips, found.recipe, found.seed) == ("tiny", "conv2", CLIPS, RECIPE, 0)
    assert [reason.number for reason in found.reasons] == [0, 1, 2, 3]
    names = ["plucked strings", "plucked strings 2", "plucked strings 3", "plucked strings 4"]
    assert [reason.name for reason in found.reasons] == names
    assert {reason.auc for reason in found.reasons} == {0.9}
    clips = [compose(recipe(RECIPE).clip_name(seed)) for seed in range(CLIPS)]
    labels = {label for clip in clips for label in clip.labels}
    for reason in found.reasons:
        assert reason.pattern.sum() == pytest.approx(1, rel=1e-5)
        assert set(reason.usage) == labels
        values = [reference.value for reference in reason.relmax]
        assert values == sorted(values, reverse=True)
        assert len({reference.clip for reference in reason.relmax}) == len(reason.relmax)
        assert {reference.clip for reference in reason.relmax} <= {clip.name for clip in clips}
        for reference in reason.relmax:
            assert 0 < reference.duration_s <= 1.5
            assert reference.low_hz < reference.high_hz
    assert any(reason.relmax for reason in found.reasons)
    for label in labels:
        assert sum(reason.usage[label] for reason in found.reasons) == pytest.approx(1, rel=1e-4)


def test_usage_and_examples_are_those_of_the_reason_itself(found: Reasons, model: TrainedModel) -> None:
    patterns = found.dictionary.patterns
    usage: dict[str, list[np.ndarray]] = defaultdict(list)
    carried: dict[tuple[str, str], np.ndarray] = {}
    for seed in range(CLIPS):
        clip = compose(recipe(RECIPE).clip_name(seed))
        trace = trace_of(model, model.frontend.analyse(clip.audio).features)
        for label in clip.labels:
            relevance = trace.passed_up(Logit(model.label_index(label)), "conv2").numpy()
            parts = shares(patterns, relevance) * relevance
            carried[clip.name, label] = parts.sum((1, 2, 3))
            positive = np.maximum(parts, 0).sum((1, 2, 3))
            usage[label].append(positive / positive.sum())
    for reason in found.reasons:
        expected = {label: np.mean(values, axis=0)[reason.number] for label, values in usage.items()}
        assert reason.usage == pytest.approx(expected, rel=1e-3)
        assert all(
            reference.value == pytest.approx(carried[reference.clip, str(reference.label)][reason.number], rel=1e-3)
            for reference in reason.relmax
        )
        if reason.relmax:
            largest = max(values[reason.number] for values in carried.values())
            assert reason.relmax[0].value == pytest.approx(largest, rel=1e-3)


def test_they_come_back_from_their_file(found: Reasons, folder: Path) -> None:
    assert not (folder / PARTS).exists()
    dictionary = dictionary_of(str(folder))
    assert dictionary is not None
    assert dictionary.patterns.shape == (8, 4)
    assert dictionary.names == tuple(reason.name for reason in found.reasons)
    again = load_reasons(str(folder))
    for before, after in zip(found.reasons, again.reasons, strict=True):
        for name in ("number", "name", "auc", "tuning", "usage", "relmax"):
            assert getattr(after, name) == getattr(before, name)
        assert np.array_equal(after.pattern, before.pattern)


def test_any_number_of_workers_finds_the_same(found: Reasons, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = fingerprint(folder)
    find_reasons(str(folder), CLIPS, recipe=RECIPE, workers=2)
    assert fingerprint(folder) == alone


def test_an_interrupted_search_goes_on_and_finds_the_same(
    found: Reasons, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fingerprint(folder)
    (folder / REASONS).unlink()
    composed: list[str] = []

    def interrupted(name: str) -> Clip:
        if len(composed) == 4:
            raise KeyboardInterrupt
        composed.append(name)
        return compose(name)

    with monkeypatch.context() as once:
        once.setattr(reasons, "compose", interrupted)
        with pytest.raises(KeyboardInterrupt):
            find_reasons(str(folder), CLIPS, recipe=RECIPE, workers=1)
    assert not (folder / REASONS).exists()
    assert len(list((folder / PARTS).glob("*.npz"))) == 1
    monkeypatch.setattr(reasons, "compose", lambda name: composed.append(name) or compose(name))
    find_reasons(str(folder), CLIPS, recipe=RECIPE, workers=1)
    assert len(composed) == 4 + (CLIPS - 3)
    assert fingerprint(folder) == whole


def test_progress_rises_to_the_end_of_the_clips(folder: Path) -> None:
    seen: list[float] = []
    find_reasons(str(folder), CLIPS, recipe=RECIPE, workers=1, on_progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(reasons.SHARE_OF_CLIPS)


def test_without_reasons_there_is_no_dictionary(folder: Path) -> None:
    assert dictionary_of(str(folder)) is None
    with pytest.raises(InputError, match="timbrescope atlas reasons"):
        load_reasons(str(folder))


def test_a_damaged_file_is_refused_with_the_remedy(found: Reasons, folder: Path) -> None:
    whole = (folder / REASONS).read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"PAR1 but no more"):
        (folder / REASONS).write_bytes(damaged)
        with pytest.raises(InputError, match=r"are damaged; make them again with `timbrescope atlas reasons") as caught:
            load_reasons(str(folder))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("arguments", "word"), [({"clips": 0}, "clip"), ({"recipe": "polka"}, "polka")])
def test_what_cannot_be_found_is_refused_before_it_begins(folder: Path, arguments: dict, word: str) -> None:
    with pytest.raises(InputError, match=word):
        find_reasons(str(folder), **arguments)
    assert not (folder / PARTS).exists()


def run(*args: object) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args])


def test_the_command_finds_them_and_explain_breaks_its_explanations_into_them(folder: Path, tmp_path: Path) -> None:
    arguments = ("atlas", "reasons", "--model", folder, "--clips", 4, "--recipe", RECIPE, "--workers", 1)
    shown = run(*arguments)
    assert shown.exit_code == 0, shown.output
    assert shown.stdout.count("plucked") == 4  # one row a reason, however its cells wrap
    listed = json.loads(run(*arguments, "--json").stdout)
    assert (listed["model"], listed["layer"], len(listed["reasons"])) == ("tiny", "conv2", 4)

    clip, why = tmp_path / "clip", tmp_path / "why"
    assert run("compose", "--seed", 3, "--instruments", "flute,piano", "--duration", 2, "--out", clip).exit_code == 0
    (why / "reasons").mkdir(parents=True)
    (why / "reasons" / "conv2-reason9.wav").write_bytes(b"of an earlier explanation")
    explained = run("explain", clip / "mix.wav", "--label", "flute", "--model", folder, "--out", why, "--json")
    assert explained.exit_code == 0, explained.output
    report, arrays = json.loads(explained.stdout), np.load(why / "relevance.npz")
    ids = [part["id"] for part in report["reasons"]]
    assert 3 <= len(ids) <= 4  # as many as can be told apart
    assert sum(abs(part["share"]) for part in report["reasons"]) == pytest.approx(1)
    names = {name for id in ids for name in (f"{id}.png", f"{id}.wav")}
    assert {path.name for path in (why / "reasons").iterdir()} == names
    assert arrays["reasons"].shape == (len(ids), *arrays["relevance"].shape)
    peak = np.abs(arrays["relevance"]).max()
    np.testing.assert_allclose(arrays["reasons"].sum(0), arrays["relevance"], atol=1e-4 * peak)
    for part, values in zip(report["reasons"], arrays["reasons"], strict=True):
        assert part["relevance"] == pytest.approx(values.sum(), rel=1e-3, abs=1e-5)
        assert {"name", "auc", "fall"} <= set(part)
