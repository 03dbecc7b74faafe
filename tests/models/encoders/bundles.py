"""Writes TensorFlow checkpoints, slowly and plainly, to be read again."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

MAGIC = 0xDB4775248B80FB57
TYPES = {"float32": 1, "int64": 9, "float16": 19}


def varint(number: int) -> bytes:
    found = b""
    while number >= 0x80:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def block(entries: list[tuple[bytes, bytes]], restart: int = 4, compressed: int = 0) -> bytes:
    """Keys that share their beginnings, the places where a key is whole again, and the trailer."""
    found, restarts, last = b"", [], b""
    for number, (key, value) in enumerate(entries):
        shared = 0
        if number % restart:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        else:
            restarts.append(len(found))
        found += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    found += b"".join(place.to_bytes(4, "little") for place in [*restarts, len(restarts)])
    return found + bytes([compressed]) + bytes(4)


def write_bundle(folder: Path, tensors: Mapping[str, np.ndarray], in_block: int = 5, compressed: int = 0) -> None:
    """``.index`` and ``.data-00000-of-00001``, with a few keys in each block."""
    folder.mkdir(parents=True, exist_ok=True)
    data = b""
    entries = [(b"", field(1, 1))]
    for name in sorted(tensors):
        values = tensors[name]
        shape = b"".join(field(2, field(1, size)) for size in values.shape)
        entry = field(1, TYPES[str(values.dtype)]) + field(2, shape)
        entry += field(4, len(data)) + field(5, values.nbytes) + varint(6 << 3 | 5) + bytes(4)
        entries.append((name.encode(), entry))
        data += values.tobytes()
    table, handles = b"", []
    for start in range(0, len(entries), in_block):
        some = entries[start : start + in_block]
        written = block(some, compressed=compressed)
        handles.append((some[-1][0], varint(len(table)) + varint(len(written) - 5)))
        table += written
    places = []
    for each in ([], handles):
        written = block(each)
        places.append(varint(len(table)) + varint(len(written) - 5))
        table += written
    footer = b"".join(places).ljust(40, b"\0") + MAGIC.to_bytes(8, "little")
    (folder / ".index").write_bytes(table + footer)
    (folder / ".data-00000-of-00001").write_bytes(data)
