"""Records what the program computes today, so that a change that must not change numbers can be held to them.

    python -m tests.golden.record           writes the files beside this one
    python -m tests.golden.record --check   says of every entry whether it is the same, byte for byte

Files: ``golden.npz`` (arrays, the large ones coarse), ``golden.json`` (what is no array) and ``checksums.json``
(SHA-256 of the full arrays). The test compares with a tolerance, since other CPUs add in another order; ``--check``
compares bytes, and ends with status 1 if some differ.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from core.threads import one_thread
from tests.golden.coarse import rounded
from tests.golden.program import PARTS, Entry, entries

HERE = Path(__file__).parent
ARRAYS, DATA, CHECKSUMS = HERE / "golden.npz", HERE / "golden.json", HERE / "checksums.json"


@dataclass(frozen=True)
class Golden:
    """What was recorded.

    Attributes:
        values: Coarse arrays and JSON data by the names of their entries.
        checksums: SHA-256 of the full arrays, by name.
    """

    values: Mapping[str, Any]
    checksums: Mapping[str, str]

    @classmethod
    def read(cls) -> "Golden":
        with np.load(ARRAYS) as arrays:
            values = dict(arrays) | json.loads(DATA.read_text(encoding="utf-8"))
        return cls(values, json.loads(CHECKSUMS.read_text(encoding="utf-8")))

    def difference(self, entry: Entry) -> str | None:
        """How an entry differs from what was recorded, by more than its tolerance."""
        if entry.name not in self.values:
            return "was not recorded"
        stored, tolerance = self.values[entry.name], entry.tolerance
        if not _is_array(entry):
            return data_difference(stored, entry.value, tolerance)
        return array_difference(stored, entry.shrink(entry.value), tolerance)

    def identical(self, entry: Entry) -> bool:
        """Whether an entry is what was recorded, to the last bit. Keys that data have besides do not count."""
        if _is_array(entry):
            return self.checksums.get(entry.name) == checksum(entry.value)
        return entry.name in self.values and data_difference(self.values[entry.name], entry.value, 0) is None

    def missing(self, part: str, names: Iterable[str]) -> list[str]:
        """What was recorded of a part and is not among some names."""
        return sorted({name for name in self.values if name.startswith(f"{part}/")} - set(names))


def array_difference(stored: Any, fresh: Any, tolerance: float) -> str | None:
    """How an array differs from the stored one by more than a share of the largest stored value."""
    if stored.shape != fresh.shape:
        return f"has the shape {fresh.shape}, not {stored.shape}"
    finite = np.isfinite(stored)
    if not np.array_equal(stored[~finite], fresh[~finite], equal_nan=True):
        return "has finite values where there were none"
    off = np.abs(stored[finite].astype(np.float64) - fresh[finite])
    peak = float(np.abs(stored[finite]).max(initial=0))
    worst = float(off.max(initial=0))
    return f"is off by {worst:.3g}, its peak being {peak:.3g}" if not worst <= tolerance * peak else None


def data_difference(stored: Any, fresh: Any, tolerance: float, path: str = "") -> str | None:
    """Where JSON data first differ from the stored ones; keys may have been added."""
    if tolerance == np.inf:
        return None
    if isinstance(stored, dict) and isinstance(fresh, dict):
        gone = [key for key in stored if key not in fresh]
        pairs = [(f"{path}.{key}", stored[key], fresh[key]) for key in stored if key in fresh]
        found = f"{path} lacks {gone}" if gone else None
    elif isinstance(stored, list) and isinstance(fresh, list):
        pairs = [(f"{path}[{i}]", *pair) for i, pair in enumerate(zip(stored, fresh, strict=False))]
        found = f"{path} has {len(fresh)} items, not {len(stored)}" if len(stored) != len(fresh) else None
    else:
        return None if _alike(stored, fresh, tolerance) else f"{path} is {fresh!r}, not {stored!r}"
    return found or next(filter(None, (data_difference(old, new, tolerance, at) for at, old, new in pairs)), None)


def _alike(stored: Any, fresh: Any, tolerance: float) -> bool:
    if _is_number(stored) and _is_number(fresh):
        return abs(stored - fresh) <= tolerance * max(1.0, abs(stored))
    return type(stored) is type(fresh) and stored == fresh


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_array(entry: Entry) -> bool:
    return isinstance(entry.value, np.ndarray)


def checksum(array: Any) -> str:
    """SHA-256 of an array's type, shape and values."""
    header = f"{array.dtype.str}{array.shape}".encode()
    return hashlib.sha256(header + np.ascontiguousarray(array).tobytes()).hexdigest()


def record() -> None:
    """Computes everything and writes the three files."""
    found = [entry for part in PARTS for entry in _computed(part)]
    arrays = {entry.name: entry for entry in found if _is_array(entry)}
    np.savez_compressed(ARRAYS, **{name: rounded(entry.shrink(entry.value)) for name, entry in arrays.items()})
    _write(DATA, {entry.name: entry.value for entry in found if not _is_array(entry)})
    _write(CHECKSUMS, {name: checksum(entry.value) for name, entry in arrays.items()})


def _write(path: Path, values: Mapping[str, Any]) -> None:
    """JSON with one entry a line."""
    lines = (f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}" for name, value in values.items())
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def check() -> bool:
    """Prints for every entry whether it is what was recorded, and returns whether all are the same bytes."""
    golden = Golden.read()
    results = [(name, word) for part in PARTS for name, word in _checked(golden, part)]
    same = sum(word == "byte-identical" for _, word in results)
    print(f"{same} of {len(results)} entries are byte-identical.")
    return same == len(results)


def _checked(golden: Golden, part: str) -> Iterator[tuple[str, str]]:
    names = []
    for entry in _computed(part):
        names.append(entry.name)
        difference = golden.difference(entry)
        same = golden.identical(entry) and not difference
        word = "byte-identical" if same else f"DIFFERENT: {difference}" if difference else "within tolerance"
        print(f"{entry.name}: {word}")
        yield entry.name, word
    for name in golden.missing(part, names):
        print(f"{name}: MISSING")
        yield name, "MISSING"


def _computed(part: str) -> Iterator[Entry]:
    with one_thread():
        yield from entries(part)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the files instead of writing them")
    if parser.parse_args().check:
        sys.exit(not check())
    record()


if __name__ == "__main__":
    main()
