"""The files of an atlas and of reasons, ``atlas.parquet`` and ``reasons.parquet`` beside their model.

An atlas has one row per concept, then one per label with prototypes; reasons have one row each.

Clips are stored by name and composed again to be heard. Model, number of clips, recipe and seed are in the metadata of
the schema, so that any reader of Parquet can make sense of the file.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from sys import intern
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from core.concepts.atlas import Atlas, Concept, Factor, Prototype, Prototypes, Reason, Reasons, Reference
from core.errors import InputError
from core.explanation.reasons import Dictionary
from core.models.store import model_folder
from core.records import write_whole

ATLAS = "atlas.parquet"
REASONS = "reasons.parquet"
ABOUT, ABOUT_REASONS = b"atlas", b"reasons"  # keys of the metadata
ROWS_AT_ONCE = 64  # as Python objects, which take many times the memory of the table

_COMMANDS = {ATLAS: "atlas build", REASONS: "atlas reasons"}  # that make the files

_REFERENCES = pa.list_(
    pa.struct(
        [("clip", pa.string()), ("label", pa.string()), ("value", pa.float32())]
        + [(name, pa.float64()) for name in ("time_s", "duration_s", "low_hz", "high_hz")]  # few values, all round
    )
)
_TUNING = pa.list_(
    pa.struct({"factor": pa.string(), "value": pa.string(), "score": pa.float64(), "measure": pa.string()})
)
_CONCEPTS = pa.schema(
    {
        "layer": pa.string(),
        "channel": pa.int32(),
        "name": pa.string(),
        "position": pa.list_(pa.float32(), 2),
        "usage": pa.map_(pa.string(), pa.float32()),
        "neighbours": pa.list_(pa.struct({"channel": pa.int32(), "similarity": pa.float32()})),
        "tuning": _TUNING,
        "relmax": _REFERENCES,
        "relmax_by_label": _REFERENCES,
        "actmax": _REFERENCES,
    }
)
_COMPONENTS = pa.list_(
    pa.struct(
        {
            "weight": pa.float32(),
            "mean": pa.list_(pa.float32()),
            "variance": pa.list_(pa.float32()),
            "typical": pa.list_(pa.string()),
        }
    )
)
_LABELS = pa.schema(
    {
        "label": pa.string(),
        "layer": pa.string(),
        "components": _COMPONENTS,
        "likelihoods": pa.list_(pa.float32()),
        "unusual": pa.list_(pa.string()),
    }
)
_REASONS = pa.schema(
    {
        "number": pa.int32(),
        "name": pa.string(),
        "auc": pa.float64(),
        "pattern": pa.list_(pa.float32()),
        "tuning": _TUNING,
        "usage": pa.map_(pa.string(), pa.float32()),
        "relmax": _REFERENCES,
    }
)
_ROWS = pa.unify_schemas([_CONCEPTS, _LABELS])  # rows of one kind leave the columns of the other empty


def save_atlas(atlas: Atlas, folder: Path) -> None:
    """Writes an atlas into its model's folder.

    Raises:
        InputError: the folder cannot be written to, or the disk is full.
    """
    about = {name: getattr(atlas, name) for name in ("model", "clips", "recipe", "seed")}
    rows = [*map(_concept_row, atlas.concepts), *map(_prototypes_row, atlas.prototypes.values())]
    _write(folder / ATLAS, rows, _ROWS, {ABOUT: about})


def save_reasons(reasons: Reasons, folder: Path) -> None:
    """Writes the reasons of a model into its folder.

    Raises:
        InputError: the folder cannot be written to, or the disk is full.
    """
    about = {name: getattr(reasons, name) for name in ("model", "layer", "clips", "recipe", "seed")}
    _write(folder / REASONS, [*map(_reason_row, reasons.reasons)], _REASONS, {ABOUT_REASONS: about})


def _write(path: Path, rows: list[dict[str, Any]], schema: pa.Schema, about: dict[bytes, dict[str, Any]]) -> None:
    metadata = {key: json.dumps(value).encode() for key, value in about.items()}
    table = pa.Table.from_pylist(rows, schema.with_metadata(metadata))
    settings = {"compression": "zstd", "compression_level": 19, "write_page_checksum": True}
    write_whole(path, lambda file: pq.write_table(table, file, **settings))


def load_atlas(model: str) -> Atlas:
    """The atlas of a model.

    Args:
        model: A trained model's name or folder.

    Raises:
        InputError: there is no such model, it has no atlas, or its file is damaged.
    """
    with _reading(model, ATLAS) as path:
        table = pq.read_table(path, page_checksum_verification=True)
        if not table.schema.remove_metadata().equals(_ROWS):
            raise ValueError("these are not the columns of an atlas")
        concepts, prototypes = list[Concept](), dict[str, Prototypes]()
        for batch in table.to_batches(ROWS_AT_ONCE):
            for row in batch.to_pylist():
                if row["label"] is None:
                    concepts.append(_concept(row))
                else:
                    prototypes[row["label"]] = _prototypes(row)
        about = json.loads((table.schema.metadata or {})[ABOUT])
        return Atlas(**about, concepts=tuple(concepts), prototypes=prototypes)


def load_reasons(model: str) -> Reasons:
    """The reasons that a model can have.

    Args:
        model: A trained model's name or folder.

    Raises:
        InputError: there is no such model, its reasons have not been found yet, or their file is damaged.
    """
    with _reading(model, REASONS) as path:
        table = pq.read_table(path, page_checksum_verification=True)
        if not table.schema.remove_metadata().equals(_REASONS):
            raise ValueError("these are not the columns of reasons")
        about = json.loads((table.schema.metadata or {})[ABOUT_REASONS])
        return Reasons(**about, reasons=tuple(_reason(row) for row in table.to_pylist()))


def reasons_of(model: str) -> Reasons | None:
    """The reasons that a model can have; None if they have not been found yet.

    Raises:
        InputError: there is no such model, or the file of its reasons is damaged.
    """
    return load_reasons(model) if (model_folder(model) / REASONS).exists() else None


def dictionary_of(model: str) -> Dictionary | None:
    """What explanations need of a model's reasons; see :func:`reasons_of`."""
    found = reasons_of(model)
    return found.dictionary if found else None


def concept_names(model: str) -> dict[tuple[str, int], str]:
    """The names of a model's concepts by layer and channel, without reading all of its atlas; none if it has no atlas.

    Raises:
        InputError: there is no such model, or the atlas is damaged.
    """
    if not (model_folder(model) / ATLAS).exists():
        return {}
    with _reading(model, ATLAS) as path:
        table = pq.read_table(
            path,
            columns=["layer", "channel", "name"],
            filters=ds.field("label").is_null(),
            page_checksum_verification=True,
        )
        return {(row["layer"], row["channel"]): row["name"] for row in table.to_pylist()}


@contextmanager
def _reading(model: str, name: str) -> Iterator[Path]:
    """Yields the path of a model's file; whatever fails while it is read becomes one sentence with its remedy."""
    path, command = model_folder(model) / name, f"`timbrescope {_COMMANDS[name]} --model {model}`"
    what, is_damaged, it = ("atlas", "is damaged", "it") if name == ATLAS else ("reasons", "are damaged", "them")
    try:
        yield path
    except FileNotFoundError as error:
        raise InputError(f"The model {model} has no {what} yet; make {it} with {command}.") from error
    except PermissionError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}); check its permissions.") from error
    except (pa.ArrowException, OSError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise InputError(f"The {what} of the model {model} {is_damaged}; make {it} again with {command}.") from error


def _concept_row(concept: Concept) -> dict[str, Any]:
    return {
        **{name: getattr(concept, name) for name in ("layer", "channel", "name", "position")},
        "usage": list(concept.usage.items()),
        "neighbours": [{"channel": channel, "similarity": value} for channel, value in concept.neighbours],
        "tuning": [asdict(factor) for factor in concept.tuning],
        "relmax": [asdict(reference) for reference in concept.relmax],
        "relmax_by_label": [asdict(found) for references in concept.relmax_by_label.values() for found in references],
        "actmax": [asdict(reference) for reference in concept.actmax],
    }


def _concept(row: dict[str, Any]) -> Concept:
    by_label = groupby(_references(row["relmax_by_label"]), key=lambda reference: str(reference.label))
    return Concept(
        layer=row["layer"],
        channel=row["channel"],
        relmax=_references(row["relmax"]),
        relmax_by_label={label: tuple(references) for label, references in by_label},
        actmax=_references(row["actmax"]),
        usage=dict(row["usage"]),
        neighbours=tuple((near["channel"], near["similarity"]) for near in row["neighbours"]),
        position=(row["position"][0], row["position"][1]),
        name=row["name"],
        tuning=tuple(Factor(**_shared(factor)) for factor in row["tuning"]),
    )


def _references(rows: list[dict[str, Any]]) -> tuple[Reference, ...]:
    return tuple(Reference(**_shared(row)) for row in rows)


def _shared(row: dict[str, Any]) -> dict[str, Any]:
    """A row whose texts are the same objects as equal ones of other rows: an atlas repeats a few, 300 000 times."""
    return {name: intern(value) if isinstance(value, str) else value for name, value in row.items()}


def _reason_row(reason: Reason) -> dict[str, Any]:
    return {
        **vars(reason),
        "tuning": [asdict(factor) for factor in reason.tuning],
        "usage": list(reason.usage.items()),
        "relmax": [asdict(reference) for reference in reason.relmax],
    }


def _reason(row: dict[str, Any]) -> Reason:
    return Reason(
        **{name: row[name] for name in ("number", "name", "auc")},
        pattern=np.array(row["pattern"], np.float32),
        tuning=tuple(Factor(**factor) for factor in row["tuning"]),
        usage=dict(row["usage"]),
        relmax=_references(row["relmax"]),
    )


def _prototypes_row(usual: Prototypes) -> dict[str, Any]:
    return {**vars(usual), "components": [vars(component) for component in usual.components]}


def _prototypes(row: dict[str, Any]) -> Prototypes:
    components = tuple(
        Prototype(
            weight=component["weight"],
            mean=np.array(component["mean"], np.float32),
            variance=np.array(component["variance"], np.float32),
            typical=tuple(component["typical"]),
        )
        for component in row["components"]
    )
    likelihoods = np.array(row["likelihoods"], np.float32)
    return Prototypes(row["label"], row["layer"], components, likelihoods, tuple(row["unusual"]))
