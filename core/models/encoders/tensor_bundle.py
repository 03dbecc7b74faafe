"""Reads the weights in a TensorFlow checkpoint of version 2 (a *tensor bundle*) without TensorFlow.

``PREFIX.index`` is a sorted string table as LevelDB has it: blocks of keys and values, a block that lists the blocks,
and a footer that says where that one lies. The value of a tensor's name is a small protocol buffer with its type, its
shape, and its place in ``PREFIX.data-00000-of-00001``. (TensorFlow's ``tensor_bundle.proto`` and
``lib/io/table_format.txt``.)
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import InputError

FOOTER = 48  # bytes
MAGIC = 0xDB4775248B80FB57
TYPES: Mapping[int, np.dtype[Any]] = {
    number: np.dtype(name) for number, name in {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2"}.items()
}

Message = dict[int, list[int | bytes]]


def read_bundle(prefix: Path) -> dict[str, npt.NDArray[np.generic]]:
    """The tensors of a checkpoint by name; those of other types than numbers are left out.

    Args:
        prefix: The path without ``.index``; the folder, for files that are called ``.index`` and ``.data-…`` alone.

    Raises:
        InputError: a file is missing or damaged.
    """
    index, data = _files(prefix)
    try:
        entries = dict(_entries(index.read_bytes()))
        values = data.read_bytes()
        return {
            name.decode(): tensor
            for name, entry in entries.items()
            if name and (tensor := _tensor(_message(entry), values)) is not None
        }
    except OSError as error:
        raise InputError(f"{error.filename} cannot be read ({error.strerror}); install the package again.") from error
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise InputError(f"{index} is no checkpoint, or is damaged; install the package again.") from error


def _files(prefix: Path) -> tuple[Path, Path]:
    stem = f"{prefix}/" if prefix.is_dir() else str(prefix)
    return Path(f"{stem}.index"), Path(f"{stem}.data-00000-of-00001")


def _entries(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a table, in order.

    Raises:
        ValueError: it is no table.
    """
    footer = table[-FOOTER:]
    if len(footer) < FOOTER or int.from_bytes(footer[-8:], "little") != MAGIC:
        raise ValueError("no table")
    _, place = _handle(footer, 0)  # of a block of statistics
    (offset, size), _ = _handle(footer, place)
    for _, handle in _block(table, offset, size):
        (offset, size), _ = _handle(handle, 0)
        yield from _block(table, offset, size)


def _block(table: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block. A key is the number of bytes that it shares with the one before, and the rest."""
    if table[offset + size]:
        raise ValueError("compressed")
    block = table[offset : offset + size]
    restarts = int.from_bytes(block[-4:], "little")
    end, place, key = size - 4 * (restarts + 1), 0, b""
    while place < end:
        shared, place = _varint(block, place)
        own, place = _varint(block, place)
        length, place = _varint(block, place)
        key = key[:shared] + block[place : place + own]
        place += own
        yield key, block[place : place + length]
        place += length


def _handle(values: bytes, place: int) -> tuple[tuple[int, int], int]:
    """Offset and size of a block, and the place after them."""
    offset, place = _varint(values, place)
    size, place = _varint(values, place)
    return (offset, size), place


def _varint(values: bytes, place: int) -> tuple[int, int]:
    """A whole number, seven bits a byte, the lowest first; and the place after it."""
    number = shift = 0
    while True:
        byte = values[place]
        place += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, place


def _message(values: bytes) -> Message:
    """The fields of a protocol buffer by number: whole numbers, and the bytes of all else."""
    found: Message = {}
    place = 0
    while place < len(values):
        tag, place = _varint(values, place)
        kind = tag & 7
        value: int | bytes
        if kind == 0:
            value, place = _varint(values, place)
        else:
            length, place = _varint(values, place) if kind == 2 else ({1: 8, 5: 4}[kind], place)
            value, place = values[place : place + length], place + length
        found.setdefault(tag >> 3, []).append(value)
    return found


def _tensor(entry: Message, data: bytes) -> npt.NDArray[np.generic] | None:
    """The tensor that an entry (BundleEntryProto) describes."""
    kind, shard, offset, size = (_number(entry, field) for field in (1, 3, 4, 5))
    if kind not in TYPES:
        return None
    if shard:
        raise ValueError("in several files")
    shape = [_number(_message(dimension), 1) for each in _bytes(entry, 2) for dimension in _bytes(_message(each), 2)]
    return np.frombuffer(data[offset : offset + size], TYPES[kind]).reshape(shape)


def _number(message: Message, field: int) -> int:
    """A field that holds a whole number; those that are zero are left out of a message."""
    value = message.get(field, [0])[0]
    if not isinstance(value, int):
        raise ValueError("no number")
    return value


def _bytes(message: Message, field: int) -> list[bytes]:
    return [value for value in message.get(field, []) if isinstance(value, bytes)]
