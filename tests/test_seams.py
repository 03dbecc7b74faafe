"""Small real members beside the shipped ones, each from training to the page: another sample rate, another frontend."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from app.explain import panels as explaining
from core.audio import load
from core.cli import app
from core.corpora.build import DatasetPlan, build_dataset
from core.corpora.read import BuiltDataset
from core.errors import InputError
from core.explanation import playback, relevance
from core.explanation.templates import load_templates
from core.frontends.frontend import FrontendConfig
from core.grading.marks import mark_clip
from core.models import store
from core.models.architecture import build_network
from core.models.store import TrainedModel, load_model, save_model
from core.paths import ROOT
from core.synthesis.clip import compose
from core.training.config import TrainingConfig, TrainingPlan
from core.training.module import RecognitionModule
from core.training.train import train
from tests.bad_files import tone
from tests.frontends.members import SLOW, ContourConfig, MfccConfig

MFCC = MfccConfig(bands=64, hop=1024, coefficients=24)
MEMBERS = {"slow": SLOW, "mfcc": MFCC}
RECIPE = "wimu12;duration=1;count=1;soundfont=timgm6mb"
CLIP = "wimu12;instruments=piano,trumpet;duration=2;soundfont=timgm6mb@5"
CLIPS, HELD_OUT = 16, 8
CONFIG = TrainingConfig(
    name="", title="Small", description="Two layers.", label_set="wimu12",
    config={"widths": [12, 24], "pools": [[2, 2], [1, 1]]}, epochs=6, batch_size=4, validation=HELD_OUT,
    learning_rate=0.03, mask_bands=2, mask_frames=2, precision="32-true",
)  # fmt: skip
QUANTUM = 1 / 32768


@pytest.fixture(scope="module", params=MEMBERS)
def member(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a model that was trained on what its frontend makes of clips; its data lie in ``set`` beside it."""
    name = request.param
    root = tmp_path_factory.mktemp(name)
    build_dataset(DatasetPlan(RECIPE, CLIPS + HELD_OUT, 0, MEMBERS[name]), root / "set", workers=1)
    train(TrainingPlan((CONFIG.model_copy(update={"name": name}),)), 1, root / "set", root / "models" / name)
    return root / "models" / name


@pytest.fixture
def model(member: Path) -> TrainedModel:
    return load_model(str(member))


def run(*args: object) -> Any:
    result = CliRunner().invoke(app, [*map(str, args), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def song(path: Path, rate: int) -> Path:
    """Twelve seconds at a sample rate: a tone of 1 kHz from second 6 to 9, and else silence."""
    samples = np.concatenate([np.zeros(6 * rate), tone(3.0, rate, 1000.0), np.zeros(3 * rate)])
    soundfile.write(path, samples, rate, subtype="FLOAT")
    return path


def pitch(samples: np.ndarray, rate: int) -> float:
    """The strongest frequency in Hz."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax()) * rate / len(samples)


def test_it_learns_and_its_card_says_how_it_sees(member: Path, model: TrainedModel) -> None:
    losses = [float(row["train_loss"]) for row in csv.DictReader((member / "training.csv").open())]
    assert losses[-1] < losses[0]
    card = json.loads((member / "card.json").read_text())
    assert card["frontend"]["name"] == MEMBERS[member.name].name
    assert model.card.frontend == BuiltDataset(member.parent.parent / "set").frontend == MEMBERS[member.name]


def test_an_interrupted_data_set_goes_on(member: Path) -> None:
    folder = member.parent.parent / "set"
    before = (folder / "manifest.parquet").read_bytes()
    build_dataset(DatasetPlan(RECIPE, CLIPS + HELD_OUT, 0, MEMBERS[member.name]), folder, workers=1)
    assert (folder / "manifest.parquet").read_bytes() == before


def test_it_is_measured_on_features_and_on_files(member: Path, tmp_path: Path) -> None:
    build_dataset(DatasetPlan(RECIPE, 6, 1, MEMBERS[member.name]), tmp_path / "set", workers=1)
    assert run("evaluate", "--model", member, "--data", tmp_path / "set")["clips"] == 6
    run("compose", "--label-set", "wimu12", "--instruments", "piano", "--duration", 2, "--out", tmp_path / "clip")
    (tmp_path / "clip" / "labels.csv").write_text("file,instruments\nmix.wav,piano\n")
    assert run("evaluate", "--model", member, "--data", tmp_path / "clip")["clips"] == 1


def test_only_what_shows_the_power_of_sounds_is_trained_with_changed_power() -> None:
    config = CONFIG.model_copy(update={"equaliser_db": 3.0})
    network = build_network(config.architecture, config.config, len(config.labels))
    assert RecognitionModule(network, config, SLOW).range_db == SLOW.range_db
    with pytest.raises(InputError, match="'mfcc' cannot be transposed, mixed, equalised or made noisy"):
        RecognitionModule(network, config, MFCC)


def test_it_hears_the_same_in_files_of_any_rate_and_at_the_right_time(member: Path, tmp_path: Path) -> None:
    files = [song(tmp_path / f"{rate}.wav", rate) for rate in (44100, 22050, 16000)]
    answers = run("predict", *files, "--model", member)
    for answer in answers:
        assert answer["duration_s"] == pytest.approx(12, abs=1e-3)
        timeline = answer["timeline"]
        assert (timeline["hop_s"], timeline["window_s"]) == pytest.approx((0.5, 2.0), abs=0.04)
        heard = np.array(list(timeline["probabilities"].values())).max(0) > 0
        times = np.arange(len(heard)) * timeline["hop_s"] + timeline["window_s"] / 2
        assert times[-1] == pytest.approx(11, abs=0.6)
        assert times[heard].min() == pytest.approx(5, abs=0.6)
        assert times[heard].max() == pytest.approx(10, abs=0.6)
        assert answer["instruments"] == pytest.approx(answers[0]["instruments"], abs=0.02)


@pytest.mark.parametrize("rate", [44100, 22050])
def test_it_explains_a_passage_and_what_it_points_at_sounds_right(member: Path, rate: int, tmp_path: Path) -> None:
    file, config = song(tmp_path / "song.wav", rate), MEMBERS[member.name]
    report = run("explain", file, "--instrument", "flute", "--model", member, "--top", 2, "--out", tmp_path / "why")
    assert 2 <= report["start_s"] <= 8  # what sounds is in the two seconds at its middle
    assert report["duration_s"] == pytest.approx(5, abs=1e-3)
    arrays = np.load(tmp_path / "why/relevance.npz")
    assert arrays["relevance"].shape == arrays["logmel"].shape == (config.bands, len(arrays["times"]))
    assert arrays["band_hz"][arrays["logmel"].sum(1).argmax()] == pytest.approx(1000, rel=0.05)
    sounding = arrays["times"][arrays["logmel"].sum(0) > 1]
    assert sounding.min() == pytest.approx(max(6, report["start_s"]), abs=0.1)
    assert sounding.max() == pytest.approx(min(9, report["start_s"] + 5), abs=0.1)
    sounds = {path.stem: soundfile.read(path) for path in (tmp_path / "why").rglob("*.wav")}
    assert (sounds.pop("reconstruction", None) is not None) == load_templates().fit(config)
    assert len(sounds) == 4
    assert {found for _, found in sounds.values()} == {config.sample_rate}
    assert {len(samples) for samples, _ in sounds.values()} == {5 * config.sample_rate}
    (kept, _), (rest, _) = sounds["masked"], sounds["complement"]
    mix = load(file, config.sample_rate).cut(report["start_s"], 5.0).samples
    assert np.abs(kept + rest - report["gain"] * mix).max() <= 2 * QUANTUM
    louder = max(kept, rest, key=lambda samples: float(np.abs(samples).max()))
    assert pitch(louder, config.sample_rate) == pytest.approx(1000, abs=1)


def test_relevance_goes_back_to_the_cells_and_keeps_its_sum(model: TrainedModel) -> None:
    sound = model.frontend.analyse(compose(CLIP).audio)
    layer = model.network.concept_layers[0]
    seen = relevance.explain(model, sound.features, "piano", layer, top=3)
    shown = playback.explain(model, sound, "piano", layer, top=3)
    assert shown.relevance.values.shape == sound.mel_power.shape
    pairs = [(seen.relevance, shown.relevance)]
    pairs += [(before.map, after.map) for before, after in zip(seen.concepts, shown.concepts, strict=True)]
    for before, after in pairs:
        sums = [map.values.sum(dtype=np.float64) for map in (before, after)]
        assert sums[1] == pytest.approx(sums[0], abs=1e-6 * float(np.abs(after.values).sum()))
        assert (after.label, after.channel) == (before.label, before.channel)
    assert shown.conservation_error == pytest.approx(seen.conservation_error, abs=1e-3)
    assert shown.conservation_error < 1e-2


def test_it_is_graded(member: Path) -> None:
    marks = mark_clip(str(member), "crp", CLIP, thorough=True)
    assert {mark.label for mark in marks} == {"piano", "trumpet"}
    for mark in marks:
        assert 0 <= mark.measures["rma"] <= 1
        assert mark.measures["si_sdr_improvement"] < mark.measures["si_sdr_ceiling"]
        assert np.isfinite(mark.measures["stability"])


@pytest.mark.parametrize("page", ["listen", "explain", "compare"])
def test_the_pages_show_and_play_it(member: Path, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / member.name).symlink_to(member)
    (tmp_path / "wimu12-shallow").symlink_to(ROOT / "trained_models" / "wimu12-shallow")
    monkeypatch.setattr(store, "TRAINED_MODELS", tmp_path)
    played: list[dict[str, Any]] = []
    monkeypatch.setattr(explaining, "player", lambda **shown: played.append(shown))
    app = AppTest.from_file(str(ROOT / "app/main.py"), default_timeout=240)
    for name, value in {"clip": CLIP, "model": member.name, "instrument": "piano"}.items():
        app.query_params[name] = value
    app.query_params["models"] = f"{member.name},wimu12-shallow"
    if page != "listen":
        app.switch_page(f"../pages/{page}.py")
    app.run()
    assert not app.exception
    assert not app.error
    if page == "explain":
        _check_player(played[-1], MEMBERS[member.name])


def test_a_model_whose_evidence_cannot_be_shown_still_says_what_it_hears(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = load_model(str(tiny_model))
    card = tiny.card.model_copy(update={"name": "contour", "frontend": ContourConfig()})
    save_model(tiny.network, card, tmp_path / "contour")
    monkeypatch.setattr(store, "TRAINED_MODELS", tmp_path)
    app = AppTest.from_file(str(ROOT / "app/main.py"), default_timeout=240)
    app.query_params["clip"], app.query_params["model"] = CLIP, "contour"
    app.run()
    assert not app.exception
    assert ["neither drawn nor played" in error.value for error in app.error] == [True]
    assert {"Which instruments", "Who plays when"} <= {heading.value for heading in app.subheader}


def _check_player(shown: dict[str, Any], config: FrontendConfig) -> None:
    tracks = {track.name: track.sound for track in shown["tracks"]}
    assert list(tracks) == ["Mix", "Only this", "Without it", "True stem"]
    assert {(sound.sample_rate, len(sound.samples)) for sound in tracks.values()} == {
        (config.sample_rate, 2 * config.sample_rate)
    }
    mix, kept, rest, stem = (sound.samples for sound in tracks.values())
    assert np.abs(kept + rest - mix).max() < 1e-4
    assert np.corrcoef(mix, stem)[0, 1] > 0.3
    assert shown["duration"] == pytest.approx(2)
    assert shown["overlay"].values.shape == shown["spectrogram"].shape
    assert len(shown["band_hz"]) == config.bands
