"""The command line: what the commands write, pure JSON on standard output, and bad input in one line with status 2."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from core.audio import SAMPLE_RATE, Audio, load, write_wav
from core.cli import app
from core.cli.console import print_json
from core.grading.measures import si_sdr_improvement
from core.loudness import loudness
from core.models.store import model_names
from core.taxonomy.instruments import INSTRUMENTS
from tests.bad_files import BAD_FILES, ODD_FILES, encoded, tone

COMMANDS = (
    "compose",
    "predict",
    "explain",
    "models",
    "dataset",
    "train",
    "evaluate",
    "grade",
    "report",
    "migrate",
    "bench",
    "doctor",
    "atlas",
    "study",
)
QUANTUM = 1 / 32768  # step of 16-bit sound
EXECUTABLE = str(Path(sys.executable).with_name("timbrescope"))


def run(*args: object) -> Result:
    return CliRunner().invoke(app, [str(arg) for arg in args])


def succeed(*args: object) -> str:
    """Runs a command that must succeed with nothing on standard error, and returns its standard output."""
    result = run(*args)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def complaint(*args: object) -> str:
    """Runs a command that must be refused, and returns the line that says why."""
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("timbrescope: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a composed clip of two seconds."""
    folder = tmp_path_factory.mktemp("compose") / "a" / "clip"
    succeed("compose", "--seed", 7, "--instruments", "violin,piano", "--duration", 2, "--out", folder)
    return folder


def test_help_lists_every_command_and_each_has_examples() -> None:
    listed = succeed("--help")
    for command in COMMANDS:
        assert command in listed
        assert f"timbrescope {command}" in succeed(command, "--help").partition("Examples")[2]
    assert succeed() == listed


def test_loading_the_command_loads_nothing_heavy() -> None:
    code = "import sys, core.cli; print(*{'torch', 'librosa', 'lightning', 'matplotlib', 'pandas'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split() == []


def test_compose_writes_stems_that_add_up_to_the_mix(clip: Path) -> None:
    assert set(contents(clip)) == {"mix.wav", "stems/violin.wav", "stems/piano.wav", "score.mid", "clip.json"}
    mix, rate = soundfile.read(clip / "mix.wav")
    stems = [soundfile.read(clip / "stems" / f"{label}.wav")[0] for label in ("piano", "violin")]
    assert (len(mix), rate) == (2 * SAMPLE_RATE, SAMPLE_RATE)
    assert np.abs(mix - sum(stems)).max() <= 1.5 * QUANTUM
    assert all(np.abs(stem).max() > 0.01 for stem in stems)


def test_the_score_has_as_many_notes_as_clip_json_says(clip: Path) -> None:
    about = json.loads((clip / "clip.json").read_text())
    tracks = {track.name: track for track in mido.MidiFile(clip / "score.mid").tracks}
    struck = {
        label: sum(message.type == "note_on" and message.velocity > 0 for message in tracks[label])
        for label in about["instruments"]
    }
    assert struck == about["notes"]
    assert about["name"] == "general;instruments=piano,violin;duration=2@7"


def test_a_seed_gives_the_same_bytes_and_another_seed_other_music(clip: Path, tmp_path: Path) -> None:
    same = ("--instruments", "piano,violin", "--duration", 2)
    succeed("compose", "--seed", 7, *same, "--out", tmp_path / "again")
    succeed("compose", "--seed", 8, *same, "--out", tmp_path / "other")
    assert contents(tmp_path / "again") == contents(clip)
    assert contents(tmp_path / "other")["mix.wav"] != contents(clip)["mix.wav"]


def test_composing_into_a_used_folder_deletes_old_stems_only(tmp_path: Path) -> None:
    (tmp_path / "stems").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "stems" / "my_own_take.wav").write_bytes(b"mine too")
    (tmp_path / "stems" / "oboe.wav").write_bytes(b"of an earlier clip")
    out = json.loads(
        succeed(
            "compose",
            "--count",
            3,
            "--style",
            "random",
            "--label-set",
            "wimu12",
            "--duration",
            1,
            "--out",
            tmp_path,
            "--json",
        )
    )
    assert len(out["instruments"]) == 3
    assert out["style"] == "random"
    stems = {path.stem for path in (tmp_path / "stems").iterdir()}
    assert stems == {*out["instruments"], "my_own_take"}
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_composing_from_a_folder_of_midi_files(clip: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ("compose", "--style", "midi", "--midi-folder", clip, "--instruments", "flute", "--duration", 2)
    assert json.loads(succeed(*arguments, "--out", out, "--json"))["style"] == "midi"
    assert np.abs(load(out / "mix.wav").samples).max() > 0.01


def test_predict_answers_in_json(clip: Path, tiny_model: Path) -> None:
    mix = clip / "mix.wav"
    (answer,) = json.loads(succeed("predict", mix, "--model", tiny_model, "--json"))
    assert (answer["file"], answer["model"], answer["duration_s"]) == (str(mix), "tiny", 2)
    assert list(answer["instruments"]) == list(INSTRUMENTS)
    assert all(0 <= probability <= 1 for probability in answer["instruments"].values())
    assert set(answer["detected"]) == {label for label, p in answer["instruments"].items() if p >= 0.5}
    assert {len(line) for line in answer["timeline"]["probabilities"].values()} == {1}


def test_predict_shows_the_likeliest_instruments_first(clip: Path, tiny_model: Path) -> None:
    (answer,) = json.loads(succeed("predict", clip / "mix.wav", "--model", tiny_model, "--json"))
    title, header, *rows = succeed("predict", clip / "mix.wav", "--model", tiny_model).splitlines()
    assert str(clip / "mix.wav") in title
    assert "probability" in header
    ranking = sorted(answer["instruments"], key=lambda label: -answer["instruments"][label])
    assert [row.split()[0] for row in rows] == ranking[: len(rows)]
    assert sum("detected" in row for row in rows) == len(answer["detected"])


def test_predict_refuses_each_bad_file_in_one_line_and_answers_for_the_others(tiny_model: Path, tmp_path: Path) -> None:
    for name, bad in BAD_FILES.items():
        (tmp_path / name).write_bytes(bad.make())
    (tmp_path / "good.wav").write_bytes(encoded(tone()))
    files = [*(tmp_path / name for name in BAD_FILES), tmp_path / "good.wav", tmp_path / "missing.wav", tmp_path]
    result = run("predict", *files, "--model", tiny_model, "--json")
    assert result.exit_code == 2
    assert [answer["file"] for answer in json.loads(result.stdout)] == [str(tmp_path / "good.wav")]
    lines = result.stderr.splitlines()
    for line, name in zip(lines, [*BAD_FILES, "missing.wav", tmp_path.name], strict=True):
        assert line.startswith("timbrescope: ")
        assert name in line


def test_predict_reads_every_odd_file(tiny_model: Path, tmp_path: Path) -> None:
    for name, make in ODD_FILES.items():
        (tmp_path / name).write_bytes(make())
    answers = json.loads(succeed("predict", *(tmp_path / name for name in ODD_FILES), "--model", tiny_model, "--json"))
    assert [Path(answer["file"]).name for answer in answers] == list(ODD_FILES)
    silence = next(answer for answer in answers if answer["file"].endswith("silence.wav"))
    assert set(silence["instruments"].values()) == {0}


@pytest.fixture(scope="module")
def explained(clip: Path, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an explanation of that clip, made where an earlier one left more concepts."""
    out = tmp_path_factory.mktemp("explain")
    (out / "concepts").mkdir()
    (out / "concepts" / "conv2-999.png").touch()
    arguments = ("--model", tiny_model, "--layer", "conv2", "--top", 3, "--stems", clip / "stems", "--out", out)
    report = succeed("explain", clip / "mix.wav", "--instrument", "violin", *arguments, "--json")
    assert json.loads(report) == json.loads((out / "report.json").read_text())
    return out


def test_explain_writes_numbers_pictures_and_sounds(explained: Path) -> None:
    report = json.loads((explained / "report.json").read_text())
    assert (report["model"], report["label"], report["layer"]) == ("tiny", "violin", "conv2")
    assert (report["start_s"], report["duration_s"]) == (0, 2)
    assert report["conservation_error"] < 1e-3
    names = [f"conv2-{concept['channel']}" for concept in report["concepts"]]
    assert len(names) == 3
    assert {path.name for path in (explained / "concepts").iterdir()} == {
        f"{n}.{kind}" for n in names for kind in ("png", "wav")
    }
    assert all((explained / name).stat().st_size > 5000 for name in ("relevance.png", "truth.png"))
    assert all(concept["name"] is None and -1 <= concept["share"] <= 1 for concept in report["concepts"])


def test_the_arrays_of_an_explanation_belong_to_its_report(explained: Path) -> None:
    report = json.loads((explained / "report.json").read_text())
    arrays = np.load(explained / "relevance.npz")
    assert arrays["relevance"].shape == arrays["logmel"].shape == (len(arrays["band_hz"]), len(arrays["times"]))
    assert arrays["relevance"].sum() == pytest.approx(report["logit"], rel=1e-3)
    assert arrays["channels"].tolist() == [concept["channel"] for concept in report["concepts"]]
    assert arrays["shares"][arrays["channels"]].tolist() == pytest.approx([c["share"] for c in report["concepts"]])
    assert np.abs(arrays["shares"]).sum() == pytest.approx(1, rel=1e-4)
    assert all(np.isfinite(arrays[name]).all() for name in arrays.files)


def test_the_sounds_of_an_explanation_share_one_gain(clip: Path, explained: Path) -> None:
    gain = json.loads((explained / "report.json").read_text())["gain"]
    masked, complement, mix = (
        soundfile.read(path)[0] for path in (explained / "masked.wav", explained / "complement.wav", clip / "mix.wav")
    )
    assert np.abs(masked + complement - gain * mix).max() <= 2 * QUANTUM
    assert {len(soundfile.read(path)[0]) for path in (explained / "concepts").glob("*.wav")} == {len(mix)}


def test_a_further_gain_makes_the_sounds_of_an_explanation_as_loud_as_the_mix(clip: Path, explained: Path) -> None:
    report = json.loads((explained / "report.json").read_text())
    gains = report["matched_gains"]
    names = {path.relative_to(explained).with_suffix("").as_posix() for path in explained.rglob("*.wav")}
    assert gains.keys() == {"mix", *names}
    mix, masked = (load(path) for path in (clip / "mix.wav", explained / "masked.wav"))
    levels = [
        loudness(Audio(np.float32(gain) * sound.samples, sound.sample_rate))
        for gain, sound in ((gains["mix"] * report["gain"], mix), (gains["masked"], masked))
    ]
    assert levels[0] == pytest.approx(levels[1], abs=0.1)


def test_an_explanation_is_graded_against_the_stems(explained: Path) -> None:
    truth = json.loads((explained / "report.json").read_text())["truth"]
    assert set(truth["share_per_stem"]) == {"piano", "violin"}
    assert 0 <= truth["rma"] <= 1
    assert truth["lift"] == pytest.approx(truth["rma"] / truth["area"])


def test_the_reconstruction_of_an_explanation_is_graded_too(clip: Path, explained: Path) -> None:
    truth = json.loads((explained / "report.json").read_text())["truth"]
    heard, mix, stem = (
        soundfile.read(path)[0]
        for path in (explained / "reconstruction.wav", clip / "mix.wav", clip / "stems" / "violin.wav")
    )
    assert truth["si_sdr_reconstruction"] == pytest.approx(si_sdr_improvement(heard, mix, stem), abs=0.1)
    assert truth["si_sdr_reconstruction"] != truth["si_sdr_improvement"]


@pytest.mark.parametrize(("start", "explained_from"), [(0.5, 0.5), (2.9, 2)])
def test_the_window_of_a_longer_file_can_be_chosen(
    start: float, explained_from: float, tiny_model: Path, tmp_path: Path
) -> None:
    song = np.concatenate([tone(3.5, frequency=220), tone(3.5, frequency=880)])
    write_wav(tmp_path / "song.wav", Audio(song, SAMPLE_RATE))
    arguments = ("explain", tmp_path / "song.wav", "--instrument", "oboe", "--model", tiny_model, "--top", 1, "--json")
    report = json.loads(succeed(*arguments, "--start", start, "--out", tmp_path / "why"))
    assert (report["start_s"], report["duration_s"]) == (explained_from, 5)
    assert "truth" not in report


def test_without_a_start_the_window_is_where_the_label_is_most_probable(tiny_model: Path, tmp_path: Path) -> None:
    write_wav(tmp_path / "song.wav", Audio(np.concatenate([np.zeros(8 * SAMPLE_RATE), tone(3)]), SAMPLE_RATE))
    arguments = ("explain", tmp_path / "song.wav", "--instrument", "voice", "--model", tiny_model, "--top", 1, "--json")
    report = json.loads(succeed(*arguments, "--out", tmp_path / "why"))
    assert report["start_s"] > 4


TO = "--out {tmp}/x"
EXPLAIN = "explain {clip}/mix.wav --instrument oboe --model {model} " + TO
BAD_ARGUMENTS = {
    "no such command": ("sing", "sing"),
    "no such option": (f"compose --loud {TO}", "--loud"),
    "no --out": ("compose", "--out"),
    "instrument": (f"compose --instruments kazoo {TO}", "violin"),
    "instrument of another label set": (f"compose --label-set wimu12 --instruments oboe {TO}", "string_ensemble"),
    "no instrument": (f"compose --instruments '' {TO}", "choose from: piano"),
    "label set": (f"compose --label-set all {TO}", "general, wimu12"),
    "count": (f"compose --count 99 {TO}", "1 to 8"),
    "count that is no number": (f"compose --count two {TO}", "--count"),
    "count and instruments": (f"compose --count 2 --instruments oboe {TO}", "not both"),
    "duration": (f"compose --duration 31 {TO}", "1 to 30"),
    "duration that is no number": (f"compose --duration nan {TO}", "1 to 30"),
    "seed": (f"compose --seed -1 {TO}", "--seed"),
    "style": (f"compose --style jazz {TO}", "midi, musical, random"),
    "style midi without files": (f"compose --style midi {TO}", "--midi-folder"),
    "no such MIDI folder": (f"compose --style midi --midi-folder {{tmp}}/no {TO}", "MIDI"),
    "soundfont": (f"compose --soundfont steinway {TO}", "musescore"),
    "--out in a file": ("compose --duration 1 --count 1 --out {clip}/mix.wav/x", "mix.wav"),
    "no file": ("predict", "FILE"),
    "model": ("predict {clip}/mix.wav --model nope", "choose one of"),
    "folder that is no model": ("predict {clip}/mix.wav --model {clip}", "choose one of"),
    "label": (f"{EXPLAIN} --instrument kazoo", "violin"),
    "layer": (f"{EXPLAIN} --layer conv9", "conv1, conv2, conv3"),
    "start behind the end": (f"{EXPLAIN} --start 2", "2.00 s"),
    "start that is no number": (f"{EXPLAIN} --start nan", "--start"),
    "no concept": (f"{EXPLAIN} --top 0", "--top"),
    "no such folder of stems": (f"{EXPLAIN} --stems {{tmp}}/no", "no"),
    "folder without stems": (f"{EXPLAIN} --stems {{model}}", "no WAV files"),
    "stems of another sound": (
        f"explain {{tmp}}/good.wav --instrument oboe --stems {{clip}}/stems --model {{model}} {TO}",
        "as long as the mix",
    ),
    "bad file to explain": (f"explain {{tmp}}/no.wav --instrument oboe --model {{model}} {TO}", "no.wav"),
    "recipe": (f"dataset jazz --clips 2 {TO}", "wimu12"),
    "no clips": (f"dataset wimu12 --clips 0 {TO}", "--clips"),
    "workers and a cluster": (f"dataset wimu12 --clips 2 --workers 2 --cluster tcp://host:8786 {TO}", "not both"),
    "folder that holds other things": ("dataset wimu12 --clips 2 --out {clip}", "not an empty folder"),
    "configuration": (f"train huge --data {{clip}} {TO}", "wimu12-shallow"),
    "no data to train on": (f"train wimu12-shallow --data {{clip}} {TO}", "timbrescope dataset"),
    "no data to measure on": ("evaluate --data {clip} --model {model}", "labels.csv"),
    "a name that cannot be recorded": ("evaluate --data {clip} --model {model} --record a/b", "letters, digits"),
}


@pytest.mark.parametrize("case", BAD_ARGUMENTS)
def test_bad_arguments_are_refused_in_one_line_that_says_what_is_allowed(
    case: str, clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "good.wav").write_bytes(encoded(tone()))
    arguments, words = BAD_ARGUMENTS[case]
    assert words in complaint(*shlex.split(arguments.format(tmp=tmp_path, clip=clip, model=tiny_model)))
    assert not contents(tmp_path).keys() - {"good.wav"}


def test_a_file_in_the_place_of_the_folder_is_not_touched(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("a file")
    assert "taken" in complaint("compose", "--out", taken)
    assert taken.read_text() == "a file"


def test_models_are_listed_with_their_cards() -> None:
    listed = json.loads(succeed("models", "--json"))
    assert [card["name"] for card in listed] == model_names()
    assert all({"task", "labels", "parameters", "default", "training"} <= set(card) for card in listed)
    assert all(name in succeed("models") for name in model_names())


CONFIG = """
name = "probe"
title = "Probe"
description = "Learns nothing."
label_set = "wimu12"
epochs = 5
batch_size = 4
validation = 4
precision = "32-true"
config = { widths = [4, 4], pools = [[2, 4], [2, 2]] }
"""


def test_from_a_recipe_to_a_trained_and_measured_model(tmp_path: Path) -> None:
    data, out, config = tmp_path / "data", tmp_path / "model", tmp_path / "probe.toml"
    config.write_text(CONFIG)
    built = json.loads(
        succeed("dataset", "wimu12;duration=1", "--clips", 8, "--workers", 1, "--seed", 3, "--out", data, "--json")
    )
    assert built["manifest"] == str(data / "manifest.parquet")
    trained = run("train", config, "--data", data, "--out", out, "--epochs", 1, "--json")
    assert trained.exit_code == 0, trained.output
    card = json.loads(trained.stdout)
    assert (card["name"], card["training"]["epochs"], card["training"]["data_seed"]) == ("probe", 1, 3)
    assert (out / "training/log/version_0/metrics.csv").is_file()
    held_out = ("evaluate", "--model", out, "--data", data, "--split", "validation")
    measured = json.loads(succeed(*held_out, "--json"))
    assert measured["clips"] == 4
    assert 0 <= measured["mAP"]["low"] <= measured["mAP"]["high"] <= 1
    assert not (out / "evaluation").exists()
    table = succeed(*held_out, "--record", "own")
    assert all(label in table for label in measured["per_instrument"])
    assert "{value:.3f} [{low:.2f}-{high:.2f}]".format(**measured["mAP"]) in table
    assert json.loads((out / "evaluation/own.json").read_text()) == measured
    assert json.loads((out / "card.json").read_text())["evaluation"]["own"]["mAP"] == measured["mAP"]


def test_an_interrupt_ends_quietly_with_130(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("core.synthesis.clip.compose", interrupted)
    result = run("compose", "--out", tmp_path)
    assert (result.exit_code, result.output) == (130, "")


def test_json_is_strict(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"mAP": float("nan"), "si_sdr": [float("inf"), 1.5]})
    assert json.loads(capsys.readouterr().out) == {"mAP": None, "si_sdr": [None, 1.5]}


@pytest.mark.slow
def test_the_installed_command_keeps_standard_output_pure(clip: Path, tiny_model: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "CI": "true"}

    def installed(*args: object) -> subprocess.CompletedProcess[str]:
        command = [EXECUTABLE, *map(str, args)]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)

    composed = installed("compose", "--duration", 1, "--count", 1, "--out", "clip", "--json")
    assert (composed.returncode, composed.stderr) == (0, "")
    assert json.loads(composed.stdout)["duration_s"] == 1
    predicted = installed("predict", clip / "mix.wav", "missing.wav", "--model", tiny_model, "--json")
    assert predicted.returncode == 2
    assert len(json.loads(predicted.stdout)) == 1
    assert predicted.stderr.startswith("timbrescope: ")
    assert predicted.stderr.count("\n") == 1


def test_a_reader_that_goes_away_early_ends_the_help_quietly() -> None:
    with subprocess.Popen([EXECUTABLE, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""


def test_grade_answers_with_every_measure_and_its_interval_and_keeps_it(tiny_model: Path) -> None:
    recipe = "general;count=2;duration=1.5;soundfont=timgm6mb"
    asked = ("grade", "--model", tiny_model, "--clips", 2, "--seed", 3, "--recipe", recipe)
    answer = json.loads(succeed(*asked, "--record", "--json"))
    assert (answer["explainer"], answer["model"], answer["clips"]) == ("crp", "tiny", 2)
    promised = {
        "rma", "lift", "rra", "pointing", "si_sdr_improvement", "si_sdr_ceiling", "si_sdr_floor", "conservation_error",
        "concept_flipping", "intervention", "absent_leakage", "sanity_similarity", "sparseness", "stability",
    }  # fmt: skip
    assert promised <= set(answer["measures"])
    assert all(set(figure) == {"value", "low", "high"} for figure in answer["measures"].values())
    assert {"recipe", "instruments", "by_count", "by_outcome", "cross_talk", "sanity"} <= set(answer)
    assert json.loads((tiny_model / "grades" / answer["recipe"] / "crp.json").read_text()) == answer
    assert "Share of the positive" in succeed(*asked, "--explainer", "energy")


def test_grade_refuses_unknown_explainers_and_no_clips(tiny_model: Path) -> None:
    assert "crp" in complaint("grade", "--model", tiny_model, "--explainer", "tea-leaves")
    assert "clips" in complaint("grade", "--model", tiny_model, "--clips", 0)
