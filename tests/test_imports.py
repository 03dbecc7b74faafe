"""Who may import whom, read from the source: ``pages → app → core``, and the floors inside ``core``."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.paths import ROOT

GROUND = {"errors", "paths", "registry", "records", "statistics", "threads", "audio", "taxonomy", "frontends"}

# Each part of core, and the other parts that it may import.
MAY_IMPORT: dict[str, set[str]] = {
    **dict.fromkeys(sorted(GROUND), GROUND),
    "synthesis": GROUND,
    "models": GROUND,
    "corpora": GROUND | {"synthesis"},
    "inference": GROUND | {"models"},
    "evaluation": GROUND | {"corpora", "models", "inference"},
    "training": GROUND | {"corpora", "models", "evaluation"},
    "resynthesis": {"frontends"},
    "explanation": GROUND | {"models", "inference", "resynthesis"},
    "pictures": GROUND,
    "grading": GROUND | {"evaluation", "explanation", "models", "resynthesis", "synthesis"},
    "comparison": GROUND | {"evaluation", "explanation", "grading", "models", "synthesis"},
    "concepts": GROUND | {"evaluation", "explanation", "grading", "models", "resynthesis", "synthesis"},
    "bench": GROUND | {"corpora", "explanation", "models", "inference", "synthesis", "training"},
    "export": GROUND | {"explanation", "grading", "models", "pictures", "inference", "resynthesis"},
}
MAY_IMPORT["studies"] = set(MAY_IMPORT)  # imported by the command line alone
UNLIMITED = {"cli"}  # the command line ties the parts together

# Libraries that belong to one part of the program.
OWNERS = {
    "mido": "core/synthesis/",
    "fluidsynth": "core/synthesis/",
    "lightning": "core/training/",
    "zennit": "core/explanation/",
    "crp": "core/explanation/crp.py",
}
NOT_IN_CORE = {"streamlit", "plotly", "app", "pages"}


def sources(*packages: str) -> list[Path]:
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Dotted names of all that a file imports, inside functions too; ``from a import b`` counts as ``a.b``."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports name their module in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def where(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def part(path: Path) -> str:
    """The part of core that a file belongs to: ``core/models/card.py`` and ``core/models`` are both ``models``."""
    return path.relative_to(ROOT / "core").parts[0].removesuffix(".py")


def test_the_sources_are_found() -> None:
    assert len(sources("core")) > 30
    assert len(sources("app")) > 3


def test_every_part_of_core_is_in_the_table() -> None:
    parts = {part(path) for path in sources("core")} - {"__init__"}
    assert parts - UNLIMITED == set(MAY_IMPORT)


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_parts_of_core_import_only_what_they_stand_on(name: str) -> None:
    for path in (path for path in sources("core") if part(path) == name):
        for module in imported(path):
            top, _, rest = module.partition(".")
            target = rest.partition(".")[0]
            assert top != "core" or target == name or target in MAY_IMPORT[name], f"{where(path)} imports {module}"


def test_core_knows_no_user_interface() -> None:
    for path in sources("core"):
        assert not {module.partition(".")[0] for module in imported(path)} & NOT_IN_CORE, where(path)


def test_app_does_not_know_its_pages() -> None:
    for path in sources("app"):
        assert "pages" not in {module.partition(".")[0] for module in imported(path)}, where(path)


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_has_one_owner(library: str) -> None:
    users = [where(path) for path in sources("app", "core", "pages") if uses(path, library)]
    assert users, f"nobody imports {library}"
    assert all(user.startswith(OWNERS[library]) for user in users), users


def test_nobody_imports_torchvision() -> None:
    assert not [where(path) for path in sources("app", "core", "pages") if uses(path, "torchvision")]


def uses(path: Path, library: str) -> bool:
    return any(module.partition(".")[0] == library for module in imported(path))
