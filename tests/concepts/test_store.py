"""The file of an atlas."""

from dataclasses import fields
from pathlib import Path

import numpy as np
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


@pytest.mark.parametrize("content", [b"", b"PAR1 but no more"])
def test_a_damaged_atlas_is_refused(tiny_model: Path, tmp_path: Path, content: bytes) -> None:
    folder = copied(tiny_model, tmp_path)
    save_atlas(Atlas("tiny", 10, "general", 0, (FULL,), {}), folder)
    (folder / ATLAS).write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        load_atlas(str(folder))


def copied(model: Path, folder: Path) -> Path:
    for name in ("card.json", "model.safetensors"):
        (folder / name).write_bytes((model / name).read_bytes())
    return folder
