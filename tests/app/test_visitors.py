"""What happens when visitors leave: who comes back keeps the session, and the last one empties the caches."""

from types import SimpleNamespace

import pytest

from app.frame import visitors


class Runtime:
    """Sessions that are open in a browser, and those that were ended."""

    def __init__(self, *active: str) -> None:
        self.active = set(active)
        self.ended: list[str] = []

    def is_active_session(self, session_id: str) -> bool:
        return session_id in self.active

    def close_session(self, session_id: str) -> None:
        self.ended.append(session_id)


@pytest.fixture
def emptied(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """An entry each time that the caches are emptied."""
    calls: list[bool] = []
    monkeypatch.setattr(visitors, "_present", {"a", "b"})
    monkeypatch.setattr(visitors.caches, "clear", lambda: calls.append(True))
    monkeypatch.setattr(visitors, "give_back_soon", lambda: None)
    return calls


def serve(monkeypatch: pytest.MonkeyPatch, server: Runtime) -> None:
    monkeypatch.setattr(visitors, "runtime", SimpleNamespace(exists=lambda: True, get_instance=lambda: server))


def test_who_came_back_keeps_the_session(monkeypatch: pytest.MonkeyPatch, emptied: list[bool]) -> None:
    server = Runtime("a", "b")
    serve(monkeypatch, server)
    visitors._end("a")
    assert not server.ended
    assert not emptied


def test_the_caches_are_emptied_when_the_last_one_left(monkeypatch: pytest.MonkeyPatch, emptied: list[bool]) -> None:
    server = Runtime()
    serve(monkeypatch, server)
    visitors._end("a")
    assert server.ended == ["a"]
    assert not emptied, "b may still come back"
    visitors._end("b")
    assert server.ended == ["a", "b"]
    assert emptied == [True]
