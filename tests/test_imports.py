"""Who may import whom, read from the source: ``pages → app → core``, and the floors inside ``core`` and ``app``."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.paths import ROOT

GROUND = {"errors", "paths", "registry", "records", "statistics", "threads", "audio", "taxonomy", "frontends"}
GROUND |= {"loudness", "descriptors"}

# Each part of core, and the other parts that it may import.
MAY_IMPORT: dict[str, set[str]] = {
    **dict.fromkeys(sorted(GROUND), GROUND),
    "synthesis": GROUND,
    "tasks": GROUND,
    "models": GROUND | {"tasks"},
    "corpora": GROUND | {"synthesis"},
    "inference": GROUND | {"models", "tasks"},
    "evaluation": GROUND | {"corpora", "models", "inference", "tasks"},
    "training": GROUND | {"corpora", "models", "inference", "evaluation", "tasks"},
    "resynthesis": {"frontends"},
    "explanation": GROUND | {"loudness", "models", "inference", "resynthesis"},
    "pictures": GROUND,
    "grading": GROUND | {"evaluation", "explanation", "models", "resynthesis", "synthesis"},
    "comparison": GROUND | {"evaluation", "explanation", "grading", "models", "synthesis"},
    "concepts": GROUND | {"evaluation", "explanation", "grading", "models", "inference", "resynthesis", "synthesis"},
    "bench": GROUND | {"corpora", "explanation", "models", "inference", "synthesis", "training"},
    "doctor": GROUND | {"concepts", "models", "synthesis"},
    "export": GROUND | {"explanation", "grading", "models", "pictures", "inference", "resynthesis"},
}
MAY_IMPORT["studies"] = set(MAY_IMPORT)  # imported by the command line alone
SHARED = {"frame", "components", "figures"}
SUBJECTS = {"listen", "explain", "concepts", "compare", "evidence", "experiments"}

# Each part of app, and the other parts that it may import: subjects stand on what they share, and never on each other.
APP_MAY_IMPORT: dict[str, set[str]] = {
    "figures": set(),
    "components": {"figures"},
    "frame": {"components", "figures"},
    **dict.fromkeys(sorted(SUBJECTS), SHARED),
    "main": {"frame"},
}
UNLIMITED = {"cli"}  # the command line ties the parts together

# Libraries that belong to one part of the program.
OWNERS = {
    "mido": "core/synthesis/",
    "fluidsynth": "core/synthesis/",
    "lightning": "core/training/",
    "zennit": "core/explanation/",
    "crp": "core/explanation/crp.py",
    "typer": "core/cli/",
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
    """The part of core or app that a file belongs to: ``core/models/card.py`` and ``core/models`` are ``models``."""
    return path.relative_to(ROOT).parts[1].removesuffix(".py")


def test_the_sources_are_found() -> None:
    assert len(sources("core")) > 30
    assert len(sources("app")) > 3


def test_every_part_of_core_and_app_is_in_its_table() -> None:
    parts = {package: {part(path) for path in sources(package)} - {"__init__"} for package in ("core", "app")}
    assert parts["core"] - UNLIMITED == set(MAY_IMPORT)
    assert parts["app"] == set(APP_MAY_IMPORT)


@pytest.mark.parametrize("name", MAY_IMPORT)
def test_parts_of_core_import_only_what_they_stand_on(name: str) -> None:
    for path in (path for path in sources("core") if part(path) == name):
        for module in imported(path):
            top, _, rest = module.partition(".")
            target = rest.partition(".")[0]
            assert top != "core" or target == name or target in MAY_IMPORT[name], f"{where(path)} imports {module}"


@pytest.mark.parametrize("name", APP_MAY_IMPORT)
def test_parts_of_app_import_only_what_they_stand_on(name: str) -> None:
    for path in (path for path in sources("app") if part(path) == name):
        for module in imported(path):
            top, _, rest = module.partition(".")
            target = rest.partition(".")[0]
            assert top != "app" or target in {name, *APP_MAY_IMPORT[name]}, f"{where(path)} imports {module}"


def test_core_knows_no_user_interface() -> None:
    for path in sources("core"):
        assert not {module.partition(".")[0] for module in imported(path)} & NOT_IN_CORE, where(path)


def test_app_does_not_know_its_pages() -> None:
    for path in sources("app"):
        assert "pages" not in {module.partition(".")[0] for module in imported(path)}, where(path)


def test_studies_are_imported_by_the_command_line_alone() -> None:
    users = [where(path) for path in sources("app", "core", "pages") if any(map(is_study, imported(path)))]
    assert users
    assert all(user.startswith(("core/cli/", "core/studies/")) for user in users), users


def is_study(module: str) -> bool:
    return module.startswith("core.studies")


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_has_one_owner(library: str) -> None:
    users = [where(path) for path in sources("app", "core", "pages") if uses(path, library)]
    assert users, f"nobody imports {library}"
    assert all(user.startswith(OWNERS[library]) for user in users), users


def test_only_staged_networks_walk_through_their_children() -> None:
    walks = {"children", "named_children", "modules", "named_modules"}
    for path in sources("app", "core", "pages"):
        called = {
            node.func.attr
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        assert where(path) == "core/models/network.py" or not called & walks, where(path)


def test_nobody_imports_torchvision() -> None:
    assert not [where(path) for path in sources("app", "core", "pages") if uses(path, "torchvision")]


def uses(path: Path, library: str) -> bool:
    return any(module.partition(".")[0] == library for module in imported(path))
