"""Typed records: what the program writes beside its models and reads again, with one reader and one atomic writer.

A record is a pydantic model with a ``schema_version``. :meth:`Record.upgrade` converts files of earlier versions when
they are read, so that they keep working; ``timbrescope migrate`` rewrites them once and for all.
"""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, Self
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import InputError

PARTIAL = ".part"  # suffix of a file that is still being written


class Part(BaseModel):
    """A part of a record. It cannot be changed, and its numbers are finite."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Interval(Part):
    """A figure with its 95 % confidence interval; all three are None where there was nothing to measure.

    >>> Interval(value=0.8, low=0.7, high=0.9).model_dump()
    {'value': 0.8, 'low': 0.7, 'high': 0.9}
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None


class Record(BaseModel):
    """What all records have in common.

    Attributes:
        VERSION: The schema version that this program writes.
        schema_version: The schema version of the file; a file that names none has version 1.
    """

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    VERSION: ClassVar[int] = 1

    schema_version: int = 1

    @classmethod
    def upgrade(cls, data: dict[str, Any], version: int) -> dict[str, Any]:
        """Converts the content of a file of an earlier ``version`` to the current version."""
        return data

    @classmethod
    def parse(cls, text: str | bytes) -> Self:
        """The record in a JSON text.

        Raises:
            ValueError: the text is not JSON, or not such a record (pydantic's ValidationError is a ValueError).
        """
        data = json.loads(text)
        if not isinstance(data, dict):
            raise ValueError("a record is a JSON object")
        version = data.get("schema_version", 1)
        if not isinstance(version, int) or not 1 <= version <= cls.VERSION:
            raise ValueError(f"schema version {version!r} is not known")
        try:
            upgraded = cls.upgrade(data, version) if version < cls.VERSION else data
        except (KeyError, TypeError, AttributeError) as error:  # what is upgraded is not yet validated
            raise ValueError(f"it does not fit schema version {version}") from error
        return cls.model_validate({**upgraded, "schema_version": cls.VERSION})

    @classmethod
    def read(cls, path: Path, remedy: str) -> Self:
        """The record in a file.

        Args:
            path: Path of the file.
            remedy: What to do if it cannot be used, as the end of a sentence: "evaluate the model again".

        Raises:
            InputError: the file is missing, cannot be read or is damaged; the sentence names it and the remedy.
        """
        try:
            return cls.parse(path.read_bytes())
        except FileNotFoundError as error:
            raise InputError(f"There is no file {path}; {remedy}.") from error
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror}); check its permissions.") from error
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path} is damaged ({_reason(error)}); {remedy}.") from error

    @classmethod
    def find(cls, path: Path, remedy: str) -> Self | None:
        """The record in a file, or None where there is no file.

        Raises:
            InputError: as :meth:`read` does.
        """
        return cls.read(path, remedy) if path.is_file() else None

    def write(self, path: Path) -> None:
        """Writes the record as JSON, and creates its folder if necessary; no reader ever sees half a file.

        Raises:
            InputError: the file cannot be written.
        """
        current = self.model_copy(update={"schema_version": self.VERSION})
        text = current.model_dump_json(indent=1) + "\n"
        write_whole(path, lambda file: file.write(text.encode()))


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Writes a file under another name and renames it: no reader sees half a file, and no failure leaves one behind.

    Args:
        path: Path of the file; its folder is created if necessary.
        write: Writes the content into an open binary file.

    Raises:
        InputError: the folder cannot be written to, or the disk is full.
    """
    partial = path.with_name(f"{path.name}.{uuid4().hex}{PARTIAL}")  # unique on all machines that share the folder
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())  # or a power failure could keep the name and lose the content
            partial.replace(path)
        finally:
            with suppress(OSError):  # a read-only disk refuses even to delete a file that is not there
                partial.unlink()
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror or error}); choose another folder or free space."
        ) from error


def _reason(error: Exception) -> str:
    """The first thing that is wrong, in one short line."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ").removesuffix(".")  # our own messages end with a full stop
        return ": ".join(filter(None, (".".join(map(str, first["loc"])), message)))
    return " ".join(str(error).split())[:120]
