"""The registry: members are found at first use, by several threads at once too, and unknown names are refused."""

import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from types import ModuleType
from typing import Any

import pytest

from core.errors import InputError
from core.registry import Registry

MEMBER = """
from {package}_gate import started, go, registry
registry.register("late")("the member")
started.set()
assert go.wait(20)
"""


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A registry of a package whose only module registers its member, says so, and ends when it is let go."""
    package = tmp_path / "slow_members"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "member.py").write_text(MEMBER.format(package=package.name))
    monkeypatch.syspath_prepend(str(tmp_path))
    gate: Any = ModuleType(f"{package.name}_gate")
    gate.started, gate.go, gate.registry = Event(), Event(), Registry("thing", package.name)
    monkeypatch.setitem(sys.modules, gate.__name__, gate)
    yield gate
    for name in [name for name in sys.modules if name.startswith(package.name)]:
        del sys.modules[name]


def test_a_thread_that_asks_while_members_are_loaded_waits_for_them(gate: Any) -> None:
    found: list[list[str]] = []
    first = Thread(target=lambda: found.append(gate.registry.names()))
    first.start()
    assert gate.started.wait(20)
    second = Thread(target=lambda: found.append(gate.registry.names()))
    second.start()
    second.join(0.3)
    assert second.is_alive(), "not all members are there yet"
    gate.go.set()
    for thread in (first, second):
        thread.join(20)
    assert found == [["late"], ["late"]]


def test_a_module_may_ask_for_members_while_it_is_loaded(gate: Any) -> None:
    gate.go.set()
    gate.go.wait = lambda timeout: gate.registry.get("late") == "the member"
    assert gate.registry.names() == ["late"]


def test_a_name_is_given_once_and_an_unknown_one_is_refused(gate: Any) -> None:
    gate.go.set()
    assert gate.registry.get("late") == "the member"
    with pytest.raises(InputError, match="no thing 'early'; choose one of: late"):
        gate.registry.get("early")
    with pytest.raises(KeyError, match="twice"):
        gate.registry.register("late")("another")
