"""The file of an atlas."""

import resource
from collections.abc import Callable
from dataclasses import fields
from io import BytesIO
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.concepts.atlas import Atlas, Concept, Factor, Prototype, Prototypes, Reference
from core.concepts.store import ATLAS, concept_names, load_atlas, save_atlas
from core.errors import InputError

HEARD = Reference("general@7", "harp", 0.5, 1.25, 0.5, 110.5, 880.25)
LOUD = Reference("general@9", None, 2.5, 0.25, 0.5, 30.0, 110.5)
FULL = Concept(
    layer="conv1",
    channel=0,
    relmax=(HEARD,),
    relmax_by_label={"harp": (HEARD, HEARD)},
    actmax=(LOUD, LOUD),
    usage={"piano": 0.25, "harp": 0.5},
    neighbours=((3, 0.75), (2, 0.5)),
    position=(0.5, -1.0),
    name="plucked attacks",
    tuning=(Factor("family", "plucked", 0.9375, "AUC"),),
)
EMPTY = Concept("conv1", 1, (), {}, (), {}, (), (0.0, 0.0))
VECTOR = np.array([0.5, -0.25], np.float32)
USUAL = Prototypes("harp", "conv1", (Prototype(1.0, VECTOR, VECTOR**2, ("general@7",)),), VECTOR, ("general@9",))


def test_an_atlas_comes_back_as_it_was(tiny_model: Path, tmp_path: Path) -> None:
    folder = copied(tiny_model, tmp_path)
    save_atlas(Atlas("tiny", 10, "general;count=1,4", 3, (FULL, EMPTY), {"harp": USUAL}), folder)
    atlas = load_atlas(str(folder))
    assert (atlas.model, atlas.clips, atlas.recipe, atlas.seed) == ("tiny", 10, "general;count=1,4", 3)
    assert atlas.concepts == (FULL, EMPTY)
    (usual,) = atlas.prototypes.values()
    assert (usual.label, usual.layer, usual.unusual) == ("harp", "conv1", ("general@9",))
    assert np.array_equal(usual.likelihoods, VECTOR)
    for field in fields(Prototype):
        held, given = (getattr(one.components[0], field.name) for one in (usual, USUAL))
        assert np.array_equal(held, given)
    assert sorted(path.name for path in folder.iterdir() if path.suffix in (".parquet", ".part")) == [ATLAS]


def test_the_names_alone_can_be_read(tiny_model: Path, tmp_path: Path) -> None:
    folder = copied(tiny_model, tmp_path)
    assert concept_names(str(folder)) == {}
    save_atlas(Atlas("tiny", 10, "general", 0, (FULL, EMPTY), {"harp": USUAL}), folder)
    assert concept_names(str(folder)) == {(one.layer, one.channel): one.name for one in (FULL, EMPTY)}
    (folder / ATLAS).write_bytes(b"PAR1 but no more")
    with pytest.raises(InputError, match="damaged"):
        concept_names(str(folder))


def test_a_model_without_an_atlas_says_how_to_make_one(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="timbrescope atlas build"):
        load_atlas(str(copied(tiny_model, tmp_path)))
    with pytest.raises(InputError, match="no trained model"):
        load_atlas("nobody")


def truncated(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def flipped(whole: bytes) -> bytes:
    """One bit of the first column's data is another."""
    content = bytearray(whole)
    content[40] ^= 1
    return bytes(content)


def without_metadata(whole: bytes) -> bytes:
    return rewritten(pq.read_table(BytesIO(whole)).replace_schema_metadata())


def with_other_metadata(whole: bytes) -> bytes:
    return rewritten(pq.read_table(BytesIO(whole)).replace_schema_metadata({"atlas": "[1, 2]"}))


def without_a_column(whole: bytes) -> bytes:
    return rewritten(pq.read_table(BytesIO(whole)).drop_columns("name"))


def with_another_type(whole: bytes) -> bytes:
    table = pq.read_table(BytesIO(whole))
    numbers = table["channel"].cast("string")
    return rewritten(table.set_column(table.column_names.index("channel"), "channel", numbers))


def rewritten(table: pa.Table) -> bytes:
    buffer = BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: b"PAR1 but no more",
        lambda whole: bytes(range(256)) * 64,
        truncated,
        flipped,
        without_metadata,
        with_other_metadata,
        without_a_column,
        with_another_type,
    ],
)
def test_a_damaged_atlas_is_refused_in_one_sentence_with_the_remedy(
    tiny_model: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    folder = copied(tiny_model, tmp_path)
    save_atlas(Atlas("tiny", 10, "general", 0, (FULL,), {}), folder)
    assert load_atlas(str(folder)).concepts == (FULL,)
    (folder / ATLAS).write_bytes(damage((folder / ATLAS).read_bytes()))
    with pytest.raises(InputError, match=r"is damaged; make it again with `timbrescope atlas build") as caught:
        load_atlas(str(folder))
    assert "\n" not in str(caught.value)


def test_an_atlas_that_cannot_be_written_leaves_the_one_that_is_there(tiny_model: Path, tmp_path: Path) -> None:
    folder = copied(tiny_model, tmp_path)
    save_atlas(Atlas("tiny", 10, "general", 0, (FULL,), {}), folder)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, before[1]))  # bytes in a file
    try:
        with pytest.raises(InputError, match=r"atlas\.parquet cannot be written"):
            save_atlas(Atlas("tiny", 20, "general", 0, (FULL, EMPTY), {}), folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert load_atlas(str(folder)).concepts == (FULL,)
    assert sorted(path.name for path in folder.iterdir()) == [ATLAS, "card.json", "model.safetensors"]


def copied(model: Path, folder: Path) -> Path:
    for name in ("card.json", "model.safetensors"):
        (folder / name).write_bytes((model / name).read_bytes())
    return folder
