"""What Timbrescope needs on this computer, and whether it is there: for bug reports and for new installations.

Each probe is a function that returns :class:`Finding` records. Only the standard library is imported at the top, so
that the report can be made where a library is missing or broken; whatever a probe raises becomes a finding of its own.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from warnings import catch_warnings, simplefilter

from core.errors import InputError
from core.paths import ROOT, TRAINED_MODELS

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from core.synthesis.soundfonts import Soundfont

Status = Literal["good", "limited", "broken"]

EXTRAS = {"app": "the web app", "train": "training and `timbrescope bench`", "cluster": "composing on a cluster"}
MODULES = {  # modules with another name than the package that installs them
    "pyfluidsynth": "",  # needs the FluidSynth library, which has a probe of its own
    "scikit-learn": "sklearn",
    "zennit-crp": "crp",
}
LITTLE = 10**9  # bytes of memory, or of disk, below which work is likely to fail
TIMEOUT = 10  # seconds that another program may take to print its version


@dataclass(frozen=True)
class Finding:
    """What one probe found.

    Attributes:
        topic: What kind of thing was looked at: "library", "soundfont", "model", ...
        name: Which one.
        found: What was found, in a few words.
        status: "good"; "limited" if Timbrescope works but lacks something; "broken" if something that it needs is
            missing or damaged.
        remedy: What to do, in one sentence; empty if all is good.
        version: Version of a program or library, if it could be found.
        path: Path of a file or folder.
        bytes: Size of a file, or free space.
        sha256: Checksum of a file, in hexadecimal.
    """

    topic: str
    name: str
    found: str
    status: Status = "good"
    remedy: str = ""
    version: str | None = None
    path: str | None = None
    bytes: int | None = None
    sha256: str | None = None


Probe = Callable[[], list[Finding]]


def examine(on_progress: Callable[[str], None] = lambda what: None) -> list[Finding]:
    """Runs all probes.

    Args:
        on_progress: Called with the name of each group of probes before it runs.
    """
    groups: dict[str, Callable[[], list[Probe]]] = {
        "Computer": lambda: [system, python, cpu, memory, disk],
        "Libraries": library_probes,
        "Sound": lambda: [fluidsynth, ffmpeg],
        "Soundfonts": soundfont_probes,
        "Models": model_probes,
    }
    findings = []
    for group, probes in groups.items():
        on_progress(group)
        try:
            findings += [finding for probe in probes() for finding in _guarded(probe)]
        except Exception as error:  # a broken group must not hide the others
            findings.append(_failed(group.lower(), error))
    return findings


def _guarded(probe: Probe) -> list[Finding]:
    try:
        return probe()
    except Exception as error:  # as above
        if not isinstance(probe, partial):
            return [_failed(probe.__name__, error)]
        examined = probe.args[0]
        return [_failed(probe.func.__name__, error, str(getattr(examined, "name", examined)))]


def _failed(topic: str, error: Exception, name: str = "") -> Finding:
    found = f"cannot be examined: {type(error).__name__}: {' '.join(str(error).split())}"
    return Finding(topic, name, found, "broken", "Install Timbrescope again; if that does not help, report this line.")


# The computer


def python() -> list[Finding]:
    """The interpreter, and whether its version is one that Timbrescope supports."""
    from packaging.specifiers import SpecifierSet

    version, wanted = platform.python_version(), _project()["requires-python"]
    found = f"{version} ({sys.executable})"
    if SpecifierSet(wanted).contains(version, prereleases=True):
        return [Finding("computer", "Python", found, version=version)]
    return [Finding("computer", "Python", found, "broken", f"Install Python {wanted} and Timbrescope in it.", version)]


def system() -> list[Finding]:
    """Version of Timbrescope, and the operating system."""
    version = _project()["version"]
    return [
        Finding("computer", "Timbrescope", f"{version} in {ROOT}", version=version, path=str(ROOT)),
        Finding("computer", "system", platform.platform()),
    ]


def cpu() -> list[Finding]:
    """How many CPU cores there are, and how many threads PyTorch uses."""
    cores = f"{os.cpu_count()} cores ({platform.machine()})"
    try:
        import torch
    except Exception:  # a finding of the libraries
        return [Finding("computer", "CPU", cores)]
    return [Finding("computer", "CPU", f"{cores}, {torch.get_num_threads()} PyTorch threads")]


def memory() -> list[Finding]:
    """How much memory is free, as far as the system says so."""
    total, free = _memory()
    if free is None:
        return [Finding("computer", "memory", f"{_size(total)} in all")]
    found = f"{_size(free)} of {_size(total)} free"
    if free >= LITTLE:
        return [Finding("computer", "memory", found, bytes=free)]
    return [Finding("computer", "memory", found, "limited", "Close other programs: memory is short.", bytes=free)]


def _memory() -> tuple[int, int | None]:
    """Bytes in all, and bytes that are free; None where the system does not say so."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), None
    rows = dict(line.split(":") for line in text.splitlines())
    total, free = (int(rows[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    try:  # a container may have less
        limit, used = (int(Path("/sys/fs/cgroup", name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # no container, or one without a limit ("max")
        return total, free
    return min(total, limit), min(free, limit - used)


def disk() -> list[Finding]:
    """How much space is free on the disk of Timbrescope, and for temporary files if these are on another disk."""
    temporary = Path(tempfile.gettempdir())
    findings = [_free_space("disk", ROOT)]
    if temporary.stat().st_dev != ROOT.stat().st_dev:
        findings.append(_free_space("temporary files", temporary))
    return findings


def _free_space(name: str, folder: Path) -> Finding:
    usage = shutil.disk_usage(folder)
    short = usage.free < LITTLE
    return Finding(
        "computer",
        name,
        f"{_size(usage.free)} of {_size(usage.total)} free in {folder}",
        "limited" if short else "good",
        f"Free space in {folder}." if short else "",
        path=str(folder),
        bytes=usage.free,
    )


# Libraries


def library_probes() -> list[Probe]:
    """A probe for each library that Timbrescope always needs, and one for each extra."""
    from packaging.requirements import Requirement

    project = _project()
    always = [Requirement(text) for text in project["dependencies"]]
    extras = {name: [Requirement(text) for text in project["optional-dependencies"][name]] for name in EXTRAS}
    return [
        *(partial(library, each) for each in always if _applies(each)),
        *(partial(extra, name, [each for each in wanted if _applies(each)]) for name, wanted in extras.items()),
    ]


def _applies(requirement: "Requirement") -> bool:
    return requirement.marker is None or requirement.marker.evaluate()


def library(requirement: "Requirement") -> list[Finding]:
    """Whether a library is installed in a version that fits, and can be imported."""
    name, remedy = requirement.name, "Run `uv pip install -e .` in the folder of Timbrescope."
    version = _version(name)
    if version is None:
        return [Finding("library", name, "missing", "broken", remedy)]
    if not requirement.specifier.contains(version, prereleases=True):
        found = f"{version}, but {requirement.specifier} is needed"
        return [Finding("library", name, found, "broken", remedy, version)]
    module = MODULES.get(name, name)
    try:
        with catch_warnings():
            simplefilter("ignore")  # only whether it can be imported matters
            if module:
                import_module(module)
    except Exception as error:  # native libraries fail in many ways
        found = f"{version} cannot be imported ({' '.join(str(error).split())})"
        return [Finding("library", name, found, "broken", remedy, version)]
    return [Finding("library", name, version, version=version)]


def extra(name: str, requirements: "list[Requirement]") -> list[Finding]:
    """Whether the libraries of an extra are installed; they are optional."""
    versions = {each.name: _version(each.name) for each in requirements}
    lacking = [
        each.name
        for each in requirements
        if (version := versions[each.name]) is None or not each.specifier.contains(version, prereleases=True)
    ]
    found = ", ".join(f"{library} {version or 'missing'}" for library, version in versions.items())
    if not lacking:
        return [Finding("extra", name, found)]
    remedy = f"For {EXTRAS[name]}, run `uv pip install -e '.[{name}]'`."
    return [Finding("extra", name, found, "limited", remedy)]


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


# Sound


def fluidsynth() -> list[Finding]:
    """Whether the FluidSynth library, which plays every composed clip, can be loaded."""
    from core.synthesis.render import fluidsynth_version

    try:
        version = fluidsynth_version()
    except InputError as error:
        return [Finding("sound", "FluidSynth", "missing", "broken", str(error))]
    return [Finding("sound", "FluidSynth", version, version=version)]


def ffmpeg() -> list[Finding]:
    """Whether ffmpeg, which decodes the formats that libsndfile cannot, is there with its ffprobe."""
    remedy = "To read M4A, AAC, WMA and video files, install ffmpeg: `apt-get install ffmpeg` or `brew install ffmpeg`."
    for name in ("ffprobe", "ffmpeg"):
        path = shutil.which(name)
        if path is None:
            return [Finding("sound", "ffmpeg", f"{name} is missing", "limited", remedy)]
        try:
            ended = subprocess.run([path, "-version"], capture_output=True, text=True, timeout=TIMEOUT, check=True)
            version = ended.stdout.split()[2]  # "ffmpeg version 7.1 Copyright …"
        except (OSError, subprocess.SubprocessError, IndexError, UnicodeError):
            return [Finding("sound", "ffmpeg", f"{path} does not run", "limited", remedy, path=path)]
    return [Finding("sound", "ffmpeg", f"{version} ({path})", version=version, path=path)]


# Soundfonts


def soundfont_probes() -> list[Probe]:
    """A probe for each soundfont that Timbrescope knows."""
    from core.synthesis.soundfonts import known_soundfonts

    return [partial(soundfont, font) for font in known_soundfonts().values()]


def soundfont(font: "Soundfont") -> list[Finding]:
    """Whether a soundfont is installed, can be read, and is the one that clip names refer to."""
    from core.synthesis.recipe import RECIPES
    from core.synthesis.soundfonts import all_presets, soundfont_path

    lacking: Status = "broken" if font.name in RECIPES["general"].soundfont else "limited"
    if font.path is None:
        try:
            soundfont_path(font.name)
        except InputError as error:
            return [Finding("soundfont", font.name, "not installed", lacking, str(error))]
    path = soundfont_path(font.name)
    size, sha256 = path.stat().st_size, _sha256(path)
    finding = partial(Finding, "soundfont", font.name, path=str(path), bytes=size, sha256=sha256)
    try:
        all_presets(font.name)
    except InputError as error:
        return [finding(found=f"{path} is damaged", status=lacking, remedy=str(error))]
    found = f"{_size(size)} ({path})"
    if sha256 == font.sha256:
        return [finding(found=found)]
    other = f"Clips sound different from the reference; for the same bytes everywhere install the {font.title} of "
    return [finding(found=f"{found}, another build", status="limited", remedy=f"{other}{font.homepage}.")]


# Models


def model_probes() -> list[Probe]:
    """A probe for each folder with the card or the weights of a model."""
    from core.models.card import CARD
    from core.models.store import WEIGHTS

    folders = sorted({path.parent for file in (WEIGHTS, CARD) for path in TRAINED_MODELS.glob(f"*/{file}")})
    if not folders:
        return [no_model]
    return [partial(model, folder) for folder in folders]


def no_model() -> list[Finding]:
    """The finding that there is no trained model."""
    remedy = "Get Timbrescope again with its folder trained_models/, or train a model with `timbrescope train`."
    return [Finding("model", "any", "missing", "broken", remedy, path=str(TRAINED_MODELS))]


def model(folder: Path) -> list[Finding]:
    """Whether the card, the weights and (if there is one) the atlas of a model can be read."""
    from core.concepts.store import ATLAS, load_atlas
    from core.models.store import WEIGHTS, load_model

    weights = folder / WEIGHTS
    finding = partial(Finding, "model", folder.name, path=str(folder))
    if not weights.is_file():
        remedy = f"Copy {WEIGHTS} into {folder} again, or delete the folder."
        return [finding(found=f"{WEIGHTS} is missing", status="broken", remedy=remedy)]
    sha256, size = _sha256(weights), weights.stat().st_size
    finding = partial(finding, bytes=size, sha256=sha256)
    try:
        trained = load_model(str(folder))
        if (folder / ATLAS).exists():
            load_atlas(str(folder))
    except InputError as error:
        return [finding(found=f"damaged, weights {sha256[:12]}", status="broken", remedy=str(error))]
    atlas = "" if (folder / ATLAS).exists() else ", no atlas"
    return [finding(found=f"{trained.card.parameters:,} parameters, weights {sha256[:12]}{atlas}")]


def _project() -> dict[str, Any]:
    """The table ``project`` of pyproject.toml."""
    return dict(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(size: int) -> str:
    """Bytes, for people.

    >>> _size(39_978_561), _size(8_200_000_000)
    ('40 MB', '8.2 GB')
    """
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def worst(findings: Sequence[Finding]) -> Status:
    """The status of a whole report: that of its worst finding."""
    grades: list[Status] = ["good", "limited", "broken"]
    return max((finding.status for finding in findings), key=grades.index, default="good")
