"""Models that say which genre, measured on every layout of a corpus of genres, by the function and by the command."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from core.audio import Audio
from core.cli import app
from core.corpora.cache import cache_folder
from core.corpora.corpus import read_corpus
from core.corpora.mels import GRID
from core.errors import InputError
from core.evaluation.evaluate import compare, evaluate
from core.evaluation.listen import listen
from core.evaluation.record import ChoiceEvaluation, recorded_choices, recorded_evaluations
from core.frontends.frontend import FrontendConfig, frontend
from core.frontends.thinned import ThinnedConfig, kept_frames
from core.inference import recognise
from core.models.card import read_card
from core.models.store import TrainedModel
from core.taxonomy.genres import FMA_SMALL
from tests.corpora import tiny
from tests.corpora.test_features import LoudnessConfig
from tests.evaluation.genre import genre_model


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def model(models: Path) -> TrainedModel:
    return genre_model(models / "tiny-genre")


@pytest.fixture(scope="module")
def other(models: Path) -> TrainedModel:
    return genre_model(models / "other-genre", seed=1)


def measured(model: TrainedModel, data: Path, split: str | None = None) -> ChoiceEvaluation:
    report = evaluate(model, data, split=split)
    assert isinstance(report, ChoiceEvaluation)
    return report


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


LAYOUTS: dict[str, tuple[Callable[[Path], None], dict[str, str]]] = {
    "gtzan": (tiny.gtzan, {track: track.partition(".")[0] for track in tiny.TRACKS}),
    "mels": (tiny.mels, {track: track.partition(".")[0] for track in tiny.TRACKS}),
    "fma": (tiny.fma, {"000002": "hiphop", "000005": "rock", "000140": "pop"}),
    "genre_folders": (
        tiny.genre_folders,
        {
            f"{folder}/song {n}.flac": genre
            for folder, genre in (("Hip Hop", "hiphop"), ("rock", "rock"))
            for n in range(3)
        },
    ),
    "folder": (tiny.labelled_genres, {"a.wav": "rock", "b.flac": "jazz"}),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_can_be_measured(name: str, model: TrainedModel, tmp_path: Path) -> None:
    make, truth = LAYOUTS[name]
    make(tmp_path)
    report = measured(model, tmp_path)
    assert {each.id: each.label for each in report.answers} == truth
    assert report.clips == len(truth) == np.sum(report.confusion.clips)
    assert report.data["source"] == name
    assert report.accuracy.value == pytest.approx(np.mean([each.right for each in report.answers]), abs=1e-4)
    assert report.unknown_labels == {"fma": ("Folk",), "genre_folders": ("zydeco",)}.get(name, ())
    figures = report.to_json()
    assert {"clips", "accuracy", "macro_f1", "top3", "per_genre", "confusion", "answers", "by_artist"} <= set(figures)
    assert set(figures["per_genre"]) == set(truth.values())
    assert set(figures["accuracy"]) == {"value", "low", "high"}


def test_answers_are_those_of_inference(models: Path, tmp_path: Path) -> None:
    """From sound files, whatever the frontend reads, and with several windows in a sound."""
    for file, seconds in (("rock/1.wav", 5.3), ("rock/2.wav", 1.0), ("pop/3.wav", 4.0)):
        tiny.sound(tmp_path / file, tiny.tone(seconds, pitch=300 * seconds))
    loud, silent = tiny.tone(4), np.zeros(22050 * 6, np.float32)
    tiny.sound(tmp_path / "pop/quiet.wav", Audio(np.concatenate([loud.samples, silent]), 22050))
    tiny.sound(tmp_path / "pop/silent.wav", Audio(silent, 22050))
    for config in (ThinnedConfig(), FrontendConfig()):
        model = genre_model(models / f"inferring-{config.name}", config, window_s=2.0)
        corpus = read_corpus(tmp_path)
        for _ in range(2):  # the second time from what is kept
            heard = listen(model, corpus, lambda done, all: None)
            for item, logits in zip(corpus.items, heard.logits, strict=True):
                sound = item.sound.load(model.frontend.config.sample_rate)
                wanted = recognise(model, model.frontend.analyse(sound)).logits
                np.testing.assert_allclose(logits, wanted, rtol=1e-4, atol=1e-4)
        silence = next(row for row, item in enumerate(corpus.items) if "silent" in item.id)
        assert np.isneginf(heard.logits[silence]).all()
        [answer] = [each for each in measured(model, tmp_path).answers if "silent" in each.id]
        assert answer.answer is None
        assert not answer.right


def test_windows_of_frontends_that_read_the_sound_are_kept(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIMBRESCOPE_CACHE", str(tmp_path / "cache"))
    tiny.sound(tmp_path / "rock/1.wav", tiny.tone(5))
    model = genre_model(models / "loudness", LoudnessConfig(), window_s=2.0)
    corpus = read_corpus(tmp_path)
    [logits] = listen(model, corpus, lambda done, all: None).logits
    wanted = recognise(model, model.frontend.analyse(corpus.items[0].sound.load())).logits
    np.testing.assert_allclose(logits, wanted, rtol=1e-4, atol=1e-4)
    [kept] = cache_folder().glob("windows-*/*.npy")
    np.save(kept, 2 * np.load(kept))
    [changed] = listen(model, corpus, lambda done, all: None).logits
    assert not np.allclose(changed, wanted), "what is kept is used"


def test_answers_from_stored_log_mels_are_those_of_their_sounds(models: Path, tmp_path: Path) -> None:
    """What is stored is rounded to 256 steps; windows begin at other frames than those that were kept."""
    audio = tiny.tone(12)
    glide = np.sin(
        2 * np.pi * (300 + 60 * np.arange(len(audio.samples)) / 22050) * np.arange(len(audio.samples)) / 22050
    )
    sound = Audio((audio.samples + glide.astype(np.float32)) / 4, 22050)
    ears = frontend(GRID)
    from tests.corpora.test_mels import librosas

    decibels = np.maximum(librosas(sound), librosas(sound).max() - 80)
    kept = decibels[:, kept_frames(decibels.shape[1], GRID.keep_every)]
    steps = np.round(255 * (kept - kept.max() + 80) / 80).astype(np.uint8)
    np.savez(
        tmp_path / "logmel.npz", idx=steps[None], track_id=np.array(["one"]),
        range_db=np.array([80.0]), max_db=np.array([kept.max()]),
    )  # fmt: skip
    (tmp_path / "index.csv").write_text("track_id,genre\none,rock\n")
    for window_s in (30.0, 3.0):
        model = genre_model(models / f"stored-{window_s:g}", window_s=window_s)
        [stored] = model.probabilities(listen(model, read_corpus(tmp_path), lambda done, all: None).logits)
        heard = recognise(model, ears.analyse(sound)).probabilities
        assert np.abs(stored - heard).max() < 0.1
        assert stored.argmax() == heard.argmax()


@pytest.mark.parametrize("config", [FrontendConfig(), LoudnessConfig()])
def test_a_model_that_needs_the_sound_says_so(config: FrontendConfig, models: Path, tmp_path: Path) -> None:
    tiny.mels(tmp_path)
    model = genre_model(models / f"needs-{config.name}", config)
    result = run(
        "evaluate", "--model", models / f"needs-{config.name}", "--data", tmp_path, "--split", "test", "--json"
    )
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.count("\n") == 1
    assert f"the model {model.name} sees features of the frontend '{config.name}' and needs the sound" in result.stderr


def test_files_that_cannot_be_read_are_said_in_one_line(model: TrainedModel, models: Path, tmp_path: Path) -> None:
    tiny.labelled_genres(tmp_path, {f"{number}.wav": "rock" for number in range(7)})
    (tmp_path / "3.wav").unlink()
    for number in (4, 5, 6):
        (tmp_path / f"{number}.wav").write_bytes(b"no sound")
    result = run("evaluate", "--model", models / "tiny-genre", "--data", tmp_path, "--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report["clips"] == 3
    assert set(report["skipped"]) == {"3.wav", "4.wav", "5.wav", "6.wav"}
    assert result.stderr.startswith("timbrescope: 4 of 7 clips are left out: There is no file ")
    assert "3.wav" in result.stderr
    assert result.stderr.endswith("And 1 more.\n")
    assert result.stderr.count("\n") == 1
    for number in range(3):
        (tmp_path / f"{number}.wav").unlink()
    result = run("evaluate", "--model", models / "tiny-genre", "--data", tmp_path)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "0.wav" in result.stderr


def test_a_corrupt_excerpt_is_left_out(model: TrainedModel, tmp_path: Path) -> None:
    tiny.gtzan(tmp_path)
    (tmp_path / "genres/jazz/jazz.00054.wav").write_bytes(b"RIFF\x00\x00")
    report = measured(model, tmp_path)
    assert report.clips == 4
    assert list(report.skipped) == ["jazz.00054"]
    assert report.confusion.when == ("blues", "metal", "rock")


def test_genres_that_are_spelt_in_other_ways(models: Path, tmp_path: Path) -> None:
    """A model that knows FMA's genres is measured on GTZAN; those that GTZAN lacks are unknown to nobody."""
    tiny.gtzan(tmp_path, ["blues.00000", "hiphop.00002", "pop.00001", "rock.00016"])
    report = measured(genre_model(models / "fma", labels=FMA_SMALL.labels, label_set="fma_small"), tmp_path)
    assert {each.id: each.label for each in report.answers} == {
        "hiphop.00002": "Hip-Hop", "pop.00001": "Pop", "rock.00016": "Rock",
    }  # fmt: skip
    assert report.unknown_labels == ("blues",)


def test_a_table_with_instruments_and_genres_suits_both_tasks(
    model: TrainedModel, tiny_model: Path, tmp_path: Path
) -> None:
    from core.models.store import load_model

    tiny.sound(tmp_path / "a.wav", tiny.tone())
    (tmp_path / "labels.csv").write_text("file,instruments,genre\na.wav,piano,rock\n")
    assert measured(model, tmp_path).answers[0].label == "rock"
    report = evaluate(load_model(str(tiny_model)), tmp_path)
    assert (set(report.per_instrument), report.unknown_labels) == ({"piano"}, ())


def test_a_model_for_instruments_finds_nothing_in_a_corpus_of_genres(tiny_model: Path, tmp_path: Path) -> None:
    tiny.gtzan(tmp_path)
    result = run("evaluate", "--model", tiny_model, "--data", tmp_path)
    assert result.exit_code == 2
    assert "it says which instrument, and the labels here are: blues, jazz, metal, rock" in result.stderr


def test_two_models_are_compared_on_the_same_clips(
    model: TrainedModel, other: TrainedModel, models: Path, tiny_model: Path, tmp_path: Path
) -> None:
    from core.models.store import load_model

    tiny.mels(tmp_path / "set", [f"{genre}.000{n}0" for genre in ("pop", "rock", "jazz") for n in range(9)])
    calls: list[tuple[int, int]] = []
    found = compare(model, other, tmp_path / "set", lambda done, all: calls.append((done, all)))
    mine, theirs = (measured(each, tmp_path / "set").answers for each in (model, other))
    pairs = [(a.right, b.right) for a, b in zip(mine, theirs, strict=True)]
    assert found.answers == mine
    assert found.against
    assert found.against.against == "other-genre"
    assert (found.against.only_this, found.against.only_other) == (
        pairs.count((True, False)),
        pairs.count((False, True)),
    )
    assert found.against.clips == 27 == sum(map(pairs.count, set(pairs)))
    assert calls[-1] == (54, 54)
    result = run(
        "evaluate", "--model", models / "tiny-genre", "--against", models / "other-genre", "--data", tmp_path / "set"
    )
    assert result.exit_code == 0, result.output
    assert f"{found.against.only_other} with other-genre only" in " ".join(result.stdout.split())
    with pytest.raises(InputError, match="The model tiny may give several answers"):
        compare(model, load_model(str(tiny_model)), tmp_path / "set")


def test_looks_at_a_test_list_are_counted(models: Path, tmp_path: Path) -> None:
    genre_model(models / "looking")
    tiny.mels(tmp_path / "a")
    tiny.gtzan(tmp_path / "b")

    def look(data: str, split: str, name: str) -> int | None:
        result = run(
            "evaluate",
            "--model",
            models / "looking",
            "--data",
            tmp_path / data,
            "--split",
            split,
            "--record",
            name,
            "--json",
        )
        assert result.exit_code == 0, result.output
        looks = json.loads(result.stdout)["looks"]
        assert looks is None or isinstance(looks, int)
        return looks

    assert look("a", "valid", "gtzan-valid") is None
    assert look("a", "test", "gtzan-test") == 1
    assert look("a", "test", "gtzan-test") == 2, "the look that this one replaces counts"
    assert look("b", "test", "gtzan-sounds") == 3, "the same list in another layout"
    assert look("a", "valid", "gtzan-valid") is None
    kept = recorded_choices(str(models / "looking"))
    assert {name: each.looks for name, each in kept.items()} == {
        "gtzan-test": 2, "gtzan-sounds": 3, "gtzan-valid": None,
    }  # fmt: skip
    assert [each.id for each in kept["gtzan-test"].answers] == ["blues.00012"]
    card = read_card(models / "looking")
    assert card.evaluation["gtzan-sounds"]["looks"] == 3
    assert "looks" not in card.evaluation["gtzan-valid"]
    assert set(card.evaluation["gtzan-test"]) == {"clips", "accuracy", "macro_f1", "top3", "looks"}
    assert recorded_evaluations(str(models / "looking")) == {}
    result = run("evaluate", "--model", models / "looking", "--data", tmp_path / "a", "--split", "test")
    assert "Look" not in result.stdout, "what is not kept is not counted"


def test_errors_by_artist_are_printed(models: Path, model: TrainedModel, tmp_path: Path) -> None:
    tiny.gtzan(tmp_path)
    result = run("evaluate", "--model", models / "tiny-genre", "--data", tmp_path)
    assert result.exit_code == 0, result.output
    assert "Most errors" in result.stdout
    assert "accuracy with its interval over artists" in result.stdout
    report = run("evaluate", "--model", models / "tiny-genre", "--data", tmp_path, "--json")
    artists = json.loads(report.stdout)["by_artist"]
    assert set(artists) == {"John Lee Hooker", "Robert Johnson", "Iron Maiden", "Queen"}
    assert artists["Queen"]["clips"] == 1


@tiny.needs_pack
def test_the_pack_is_measured_by_its_test_list(model: TrainedModel) -> None:
    assert tiny.PACK
    report = measured(model, tiny.PACK / "gtzan", "test")
    assert report.clips == 290
    assert {label: each.support for label, each in report.per_label.items()} == {
        "blues": 31, "classical": 31, "country": 30, "disco": 29, "hiphop": 27,
        "jazz": 27, "metal": 27, "pop": 30, "reggae": 26, "rock": 32,
    }  # fmt: skip
    assert report.skipped == {}
