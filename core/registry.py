"""A registry whose members register themselves: one new file in a package is one new member."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator
from threading import RLock
from typing import Generic, TypeVar

from core.errors import InputError

T = TypeVar("T")


class Registry(Generic[T]):
    """Maps names to members. At first use it imports every module of ``package``, so that each can register.

    Args:
        kind: What a member is, for messages ("model", "explainer", ...).
        package: Dotted name of the package whose modules register the members.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self.package = package
        self._members: dict[str, T] = {}
        self._lock = RLock()
        self._loading = False
        self._loaded = False

    def register(self, name: str) -> Callable[[T], T]:
        """Decorator that enters a function, class or instance under ``name``."""

        def enter(member: T) -> T:
            if name in self._members:
                raise KeyError(f"the {self.kind} {name!r} is registered twice")
            self._members[name] = member
            return member

        return enter

    def get(self, name: str) -> T:
        """The member with this name.

        Raises:
            InputError: no member has this name; the message lists all names.
        """
        self._load()
        if name not in self._members:
            raise InputError(f"There is no {self.kind} {name!r}; choose one of: {', '.join(self.names())}.")
        return self._members[name]

    def names(self) -> list[str]:
        """All names, in alphabetical order."""
        self._load()
        return sorted(self._members)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def _load(self) -> None:
        if self._loaded:
            return
        with self._lock:  # another thread waits until all members are there
            if self._loading:  # a module that is being imported asks for another member
                return
            self._loading = True
            try:
                package = importlib.import_module(self.package)
                for module in pkgutil.iter_modules(package.__path__):
                    importlib.import_module(f"{self.package}.{module.name}")
                self._loaded = True
            finally:
                self._loading = False
