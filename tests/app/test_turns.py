"""The queue before costly work: how many compute at once, in which order, and what those who wait read."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event, Thread
from time import monotonic, sleep

import pytest
from streamlit.testing.v1 import AppTest

from app.frame import turns
from app.frame.turns import TURNS, Turns
from core.paths import ROOT


class Left(BaseException):
    """The visitor went elsewhere."""


def until(condition: Callable[[], bool], patience_s: float = 10) -> None:
    deadline = monotonic() + patience_s
    while not condition():
        assert monotonic() < deadline
        sleep(0.01)


@contextmanager
def occupied(queue: Turns) -> Iterator[Event]:
    """All places taken until the event is set, or to the end."""
    taken, free = Barrier(queue.at_once + 1), Event()

    def occupy() -> None:
        with queue.turn():
            taken.wait()
            free.wait(300)

    threads = [Thread(target=occupy) for _ in range(queue.at_once)]
    for thread in threads:
        thread.start()
    taken.wait()
    yield free
    free.set()
    for thread in threads:
        thread.join()


def test_never_more_compute_at_once_than_there_are_places() -> None:
    queue, now, most = Turns(3), [0], [0]

    def work(_: int) -> None:
        with queue.turn():
            now[0] += 1
            most[0] = max(most[0], now[0])
            sleep(0.01)
            now[0] -= 1

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(work, range(40)))
    assert most[0] == 3


def test_first_come_first_served() -> None:
    queue, served = Turns(1), list[int]()

    def work(number: int) -> None:
        with queue.turn():
            served.append(number)

    with occupied(queue) as free:
        threads = [Thread(target=work, args=(number,)) for number in range(6)]
        for number, thread in enumerate(threads, 1):
            thread.start()
            until(lambda number=number: len(queue._waiting) == number)
        free.set()
        for thread in threads:
            thread.join()
    assert served == list(range(6))


def test_a_part_of_a_computation_waits_for_nobody() -> None:
    queue = Turns(1)
    with queue.turn(), queue.turn():
        assert queue.has_one
    assert not queue.has_one
    with queue.turn():
        pass


def test_those_who_wait_see_their_place_move_up(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, said = Turns(1), list[str]()

    @contextmanager
    def spinner(text: str) -> Iterator[None]:
        said.append(text)
        yield

    monkeypatch.setattr(turns.st, "spinner", spinner)
    with occupied(queue) as free, ThreadPoolExecutor(2) as others:
        ahead_may_end = Event()

        def ahead() -> None:
            with queue.turn():
                ahead_may_end.wait(30)

        def behind() -> None:
            with queue.turn():
                pass

        first = others.submit(ahead)
        until(lambda: len(queue._waiting) == 1)
        second = others.submit(behind)
        until(lambda: any(text.endswith("queue: 2 …") for text in said))
        free.set()
        until(lambda: said[-1].endswith("queue: 1 …"))
        ahead_may_end.set()
        first.result(30)
        second.result(30)


def test_who_leaves_gives_up_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, left = Turns(1), Event()

    def check() -> None:
        if left.is_set():
            raise Left

    monkeypatch.setattr(turns, "get_run_yield_check", lambda: check)
    with occupied(queue) as free:
        with ThreadPoolExecutor(1) as threads:

            def work() -> None:
                with queue.turn():
                    pass

            leaving = threads.submit(work)
            until(lambda: len(queue._waiting) == 1)
            left.set()
            with pytest.raises(Left):
                leaving.result(10)
        assert not queue._waiting
        free.set()
    monkeypatch.setattr(turns, "get_run_yield_check", lambda: None)
    with queue.turn():
        pass


def test_a_failure_gives_up_the_turn() -> None:
    queue = Turns(1)
    for _ in range(3):
        with pytest.raises(ValueError, match="no"), queue.turn():
            raise ValueError("no")
    with queue.turn():
        pass


def test_a_page_waits_for_its_turn_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    spinner = turns.st.spinner

    def spy(text: str) -> object:
        said.append(text)
        return spinner(text)

    monkeypatch.setattr(turns.st, "spinner", spy)
    app = AppTest.from_file(str(ROOT / "app/main.py"), default_timeout=240)
    app.query_params["clip"] = "wimu12;instruments=piano,trumpet,flute;duration=2@77"
    with occupied(TURNS) as free, ThreadPoolExecutor(1) as threads:
        running = threads.submit(app.run)
        until(lambda: any("Your place in the queue: 1" in text for text in said), 240)
        assert not running.done()
        free.set()
        running.result(240)
    assert not app.exception
    assert app.get("plotly_chart")
