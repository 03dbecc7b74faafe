"""The lock file and the project's own description agree."""

import tomllib

from packaging.requirements import Requirement

from core.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKED = {
    package["name"]: package for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
}


def test_the_lock_file_is_about_this_version() -> None:
    assert LOCKED["timbrescope"]["version"] == PROJECT["version"]


def test_every_library_is_locked_within_its_range() -> None:
    wanted = [
        *PROJECT["dependencies"],
        *(each for extra in PROJECT["optional-dependencies"].values() for each in extra),
    ]
    for requirement in map(Requirement, wanted):
        locked = LOCKED[requirement.name.lower()]
        assert requirement.specifier.contains(locked["version"]), f"run `make lock`: {requirement}"
