"""A queue for costly work: never more computations at once than the machine has cores, first come first served."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Lock, local

import streamlit as st
from streamlit.runtime.scriptrunner_utils.script_run_context import get_run_yield_check

from app.frame.memory import give_back_soon

PATIENCE_S = 0.2  # a waiting thread checks this often whether its visitor left


class Turns:
    """A queue for ``at_once`` places to compute."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self._running = 0
        self._waiting: list[object] = []
        self._changed = Condition()
        self._thread = local()

    @property
    def has_one(self) -> bool:
        """Whether it is this thread's turn."""
        return getattr(self._thread, "has_one", False)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits for a turn, and shows the place in the queue on the page; a turn inside another one is the same.

        If the visitor leaves or clicks on meanwhile, Streamlit stops the run, and the place in the queue is given up.
        """
        if self.has_one:
            yield
            return
        self._queue()
        self._thread.has_one = True
        try:
            yield
        finally:
            self._thread.has_one = False
            self._leave()
            give_back_soon()

    def _queue(self) -> None:
        me = object()
        with self._changed:
            self._waiting.append(me)
        try:
            place = self._place(me)
            while place:
                shown = place
                with st.spinner(f"Many people are using the app just now. Your place in the queue: {shown} …"):
                    while place == shown:
                        stop_if_left()
                        place = self._place(me)
        except BaseException:
            self._leave(me)
            raise

    def _place(self, me: object) -> int:
        """The place in the queue, from 1 on, after a short wait; 0 when the turn has come."""
        with self._changed:
            if self._changed.wait_for(lambda: self._is_next(me), PATIENCE_S):
                self._waiting.remove(me)
                self._running += 1
                return 0
            return self._waiting.index(me) + 1

    def _is_next(self, me: object) -> bool:
        return self._waiting[0] is me and self._running < self.at_once

    def _leave(self, me: object = None) -> None:
        """Gives up a place in the queue, or the turn if it has come."""
        with self._changed:
            if me in self._waiting:
                self._waiting.remove(me)
            else:
                self._running -= 1
            self._changed.notify_all()


def stop_if_left() -> None:
    """Ends this run of the page with Streamlit's own exception if the visitor left or clicked on."""
    check: Callable[[], None] | None = get_run_yield_check()
    if check is not None:
        check()


def await_lock(lock: Lock) -> None:
    """Takes a lock, unless the visitor leaves meanwhile."""
    while not lock.acquire(timeout=PATIENCE_S):
        stop_if_left()


TURNS = Turns(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
