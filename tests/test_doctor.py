"""The examination of this computer: what is missing or damaged is found, named with its remedy, and breaks nothing."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from typer.testing import CliRunner

from core import doctor
from core.cli import app
from core.concepts.store import ATLAS
from core.doctor import Finding, examine, worst
from core.errors import InputError
from core.models.store import WEIGHTS, model_names
from core.synthesis import render, soundfonts
from core.synthesis.soundfonts import known_soundfonts

LINE = "\n"


def only(findings: list[Finding]) -> Finding:
    (finding,) = findings
    return finding


def problem(findings: list[Finding], status: str) -> Finding:
    """The only finding, which has this status and a remedy of one line."""
    finding = only(findings)
    assert finding.status == status
    assert finding.remedy
    assert LINE not in finding.remedy
    return finding


@pytest.fixture
def models(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of trained models with one in it, in the place of ``trained_models/``."""
    shutil.copytree(tiny_model, tmp_path / "tiny")
    monkeypatch.setattr(doctor, "TRAINED_MODELS", tmp_path)
    return tmp_path


@pytest.fixture
def no_soundfonts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The empty folder that is the only one where soundfonts are looked for."""
    known_soundfonts()  # which reads the table from the folder
    monkeypatch.setattr(soundfonts, "SOUNDFONTS", tmp_path)
    monkeypatch.setattr(soundfonts, "SYSTEM_FOLDERS", ())
    return tmp_path


def test_the_whole_report_is_json_and_names_everything() -> None:
    result = CliRunner().invoke(app, ["doctor", "--json"])
    report = json.loads(result.stdout)
    findings = {(finding["topic"], finding["name"]): finding for finding in report["findings"]}
    assert result.exit_code == (2 if report["status"] == "broken" else 0)
    assert {name for topic, name in findings if topic == "model"} == set(model_names())
    assert {name for topic, name in findings if topic == "soundfont"} == set(known_soundfonts())
    assert {name for topic, name in findings if topic == "computer"} >= {"Python", "system", "CPU", "memory", "disk"}
    assert {("sound", "FluidSynth"), ("sound", "ffmpeg"), ("library", "torch"), ("extra", "app")} <= set(findings)
    assert findings["library", "torch"]["version"].startswith("2.")
    assert all(len(finding["sha256"]) == 64 for (topic, _), finding in findings.items() if topic == "model")
    assert all((finding["status"] == "good") == (not finding["remedy"]) for finding in report["findings"])
    assert not [finding for finding in report["findings"] if "cannot be examined" in finding["found"]]


def test_every_library_that_is_needed_can_be_imported_here() -> None:
    findings = [only(probe()) for probe in doctor.library_probes()]
    assert [finding for finding in findings if finding.status == "broken"] == []


def reported(findings: list[Finding], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of the command when these are the findings."""
    monkeypatch.setattr(doctor, "examine", lambda on_progress: findings)
    result = CliRunner().invoke(app, ["doctor"])
    return result.exit_code, result.stdout, result.stderr


def test_a_machine_that_lacks_what_is_needed_exits_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Finding("sound", "FluidSynth", "missing", "broken", "Install it with `x`.")
    status, output, errors = reported([missing, Finding("library", "torch", "2.13.0")], monkeypatch)
    assert status == 2
    assert "Install it with `x`." in output
    assert "torch 2.13.0" in output
    assert errors == "timbrescope: Missing or broken: FluidSynth; the report says what to do.\n"


def test_what_can_be_done_without_is_no_reason_to_exit_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = Finding("sound", "ffmpeg", "missing", "limited", "Install it with `x`.")
    status, output, errors = reported([missing], monkeypatch)
    assert (status, errors) == (0, "")
    assert "Install it with `x`." in output


def test_a_report_is_as_bad_as_its_worst_finding() -> None:
    good, limited, broken = (Finding("a", "b", "c", status) for status in ("good", "limited", "broken"))
    assert worst([]) == worst([good]) == "good"
    assert worst([limited, good]) == "limited"
    assert worst([good, broken, limited]) == "broken"


def test_a_probe_that_fails_is_a_finding_and_the_others_still_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> list[Finding]:
        raise RuntimeError("two\nlines")

    for group in ("library_probes", "soundfont_probes", "model_probes", "cpu", "fluidsynth"):
        monkeypatch.setattr(doctor, group, fails)
    findings = examine()
    failed = [finding for finding in findings if finding.status == "broken"]
    assert len(failed) == 5
    assert all("RuntimeError: two lines" in finding.found for finding in failed)
    assert {"Python", "memory", "ffmpeg"} <= {finding.name for finding in findings}


# Soundfonts


def test_missing_soundfonts(no_soundfonts: Path) -> None:
    fonts = known_soundfonts()
    finding = problem(doctor.soundfont(fonts["musescore"]), "broken")  # the one that clips are played with by default
    assert "apt-get install musescore-general-soundfont-small" in finding.remedy
    assert "make soundfonts" in problem(doctor.soundfont(fonts["sonivox"]), "limited").remedy


def test_a_damaged_soundfont(no_soundfonts: Path) -> None:
    font = known_soundfonts()["musescore"]
    (no_soundfonts / font.files[0]).write_bytes(b"RIFF\0\0\0\0sfbk and no more")
    finding = problem(doctor.soundfont(font), "broken")
    assert "damaged" in finding.found
    assert finding.bytes == 24


def test_another_build_of_a_soundfont(no_soundfonts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    font = known_soundfonts()["musescore"]
    (no_soundfonts / font.files[0]).write_bytes(b"another")
    monkeypatch.setattr(soundfonts, "all_presets", lambda name: frozenset({(0, 0)}))
    assert "another build" in problem(doctor.soundfont(font), "limited").found


# Models


def test_a_model_that_is_as_it_should_be(models: Path) -> None:
    (probe,) = doctor.model_probes()
    finding = only(probe())
    assert (finding.topic, finding.name, finding.status) == ("model", "tiny", "good")
    assert finding.bytes == (models / "tiny" / WEIGHTS).stat().st_size
    assert finding.sha256
    assert finding.sha256[:12] in finding.found


@pytest.mark.parametrize("file", [WEIGHTS, "card.json", ATLAS])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\0damaged"])
def test_a_damaged_model(file: str, content: bytes, models: Path) -> None:
    (models / "tiny" / file).write_bytes(content)
    assert "damaged" in problem(doctor.model(models / "tiny"), "broken").found


def test_a_model_without_weights(models: Path) -> None:
    (models / "tiny" / WEIGHTS).unlink()
    assert "missing" in problem(doctor.model(models / "tiny"), "broken").found


def test_no_model_at_all(models: Path) -> None:
    shutil.rmtree(models / "tiny")
    (probe,) = doctor.model_probes()
    assert "trained_models/" in problem(probe(), "broken").remedy


# Programs and libraries


def test_missing_ffmpeg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "missing" in problem(doctor.ffmpeg(), "limited").found


@pytest.mark.parametrize("script", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\necho\n", "no program"])
def test_an_ffmpeg_that_does_not_run(script: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ffmpeg", "ffprobe"):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "does not run" in problem(doctor.ffmpeg(), "limited").found


def test_missing_fluidsynth(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise InputError("The FluidSynth library is not installed; install it.")

    monkeypatch.setattr(render, "fluidsynth_version", missing)
    assert "install it" in problem(doctor.fluidsynth(), "broken").remedy


def test_libraries_that_are_missing_old_or_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    assert problem(doctor.library(Requirement("no-such-library>=1")), "broken").found == "missing"
    old = problem(doctor.library(Requirement("numpy>=1000")), "broken")
    assert ">=1000 is needed" in old.found
    monkeypatch.setitem(sys.modules, "soxr", None)  # makes its import fail
    assert "cannot be imported" in problem(doctor.library(Requirement("soxr>=0")), "broken").found


def test_missing_libraries_of_an_extra() -> None:
    finding = problem(doctor.extra("train", [Requirement("numpy>=2"), Requirement("no-such-library")]), "limited")
    assert finding.found.endswith("no-such-library missing")
    assert "'.[train]'" in finding.remedy


# The computer


def test_an_unsupported_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.platform, "python_version", lambda: "3.8.1")
    assert "3.8.1" in problem(doctor.python(), "broken").found


def test_little_memory_and_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LITTLE", 10**18)
    for finding in (*doctor.memory(), *doctor.disk()):
        problem([finding], "limited")


def test_a_system_that_does_not_say_how_much_memory_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_memory", lambda: (8 * 10**9, None))
    finding = only(doctor.memory())
    assert (finding.found, finding.status) == ("8.0 GB in all", "good")


def test_cores_are_counted_without_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "PyTorch threads" in only(doctor.cpu()).found
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "cores" in only(doctor.cpu()).found
    assert "threads" not in only(doctor.cpu()).found
