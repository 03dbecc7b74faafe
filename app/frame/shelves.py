"""The sounds that visitors uploaded: each visitor finds only their own, and all together are bounded in bytes."""

from collections.abc import Iterable
from threading import Lock
from time import monotonic
from typing import Generic, TypeVar
from weakref import WeakSet

from app.frame.caches import size_of

T = TypeVar("T")


class Shelf(Generic[T]):
    """The sounds of one visitor by name; it is a part of the visitor's session and ends with it."""

    def __init__(self) -> None:
        self.sounds: dict[str, T] = {}
        self.used: dict[str, float] = {}

    def size(self) -> int:
        """Bytes."""
        return sum(map(size_of, self.sounds.values()))


class Shelves(Generic[T]):
    """The shelves of all visitors; threads may share them.

    Args:
        each: Bytes on one shelf. If there are more, the sounds used least recently are dropped, but never the newest.
        together: Bytes on all shelves, in the same way.
    """

    def __init__(self, each: int, together: int) -> None:
        self.each = each
        self.together = together
        self._shelves: WeakSet[Shelf[T]] = WeakSet()
        self._lock = Lock()

    def put(self, shelf: Shelf[T], name: str, sound: T) -> None:
        """Keeps a sound, and drops others until the bounds are kept."""
        with self._lock:
            self._shelves.add(shelf)
            shelf.sounds[name], shelf.used[name] = sound, monotonic()
            _make_room([shelf], self.each, sound)
            _make_room(list(self._shelves), self.together, sound)

    def find(self, shelf: Shelf[T], name: str) -> T | None:
        """The sound of this name; None if there is none, or none any more."""
        with self._lock:
            if name in shelf.sounds:
                shelf.used[name] = monotonic()
            return shelf.sounds.get(name)

    def size(self) -> int:
        """Bytes on all shelves."""
        with self._lock:
            return sum(shelf.size() for shelf in self._shelves)


def _make_room(shelves: Iterable[Shelf[T]], limit: int, newest: T) -> None:
    sizes = {(shelf, name): size_of(sound) for shelf in shelves for name, sound in shelf.sounds.items()}
    for shelf, name in sorted(sizes, key=lambda place: place[0].used[place[1]]):
        if sum(sizes.values()) <= limit:
            return
        if shelf.sounds[name] is not newest:
            del shelf.sounds[name], shelf.used[name], sizes[shelf, name]
