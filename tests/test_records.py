"""Records: read back as they were written, lifted from earlier versions, and refused in one sentence."""

from pathlib import Path
from typing import Any, ClassVar

import pytest

from core.errors import InputError
from core.records import Interval, Record, write_whole


class Pet(Record):
    """A record whose second version renamed a field."""

    VERSION: ClassVar[int] = 2

    name: str
    weight: Interval = Interval()

    @classmethod
    def upgrade(cls, data: dict[str, Any], version: int) -> dict[str, Any]:
        return {"name": data.pop("called"), **data}


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    pet = Pet(name="Rex", weight=Interval(value=3.0, low=2.0, high=4.0))
    pet.write(tmp_path / "pet.json")
    found = Pet.read(tmp_path / "pet.json", "feed it again")
    assert (found.name, found.weight, found.schema_version) == ("Rex", pet.weight, 2)


def test_an_earlier_version_is_lifted(tmp_path: Path) -> None:
    (tmp_path / "pet.json").write_text('{"called": "Rex"}')
    assert Pet.read(tmp_path / "pet.json", "feed it again").name == "Rex"


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b"null", b"\xff\xfe\0",
     b'{"name": 3, "schema_version": 2}', b'{"name": "x", "schema_version": 9}',
     b'{"name": "x", "schema_version": "two"}', b'{"name": "x", "other": 1, "schema_version": 2}', b"[" * 100_000],
)  # fmt: skip
def test_a_damaged_file_is_one_sentence_with_its_remedy(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pet.json").write_bytes(content)
    with pytest.raises(InputError, match=r"pet\.json is damaged .*; feed it again\.") as caught:
        Pet.read(tmp_path / "pet.json", "feed it again")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no file .*; feed it again"):
        Pet.read(tmp_path / "pet.json", "feed it again")


def test_a_record_that_need_not_be_there_is_found_if_it_is(tmp_path: Path) -> None:
    assert Pet.find(tmp_path / "pet.json", "feed it again") is None
    Pet(name="Rex").write(tmp_path / "new/folder/pet.json")
    found = Pet.find(tmp_path / "new/folder/pet.json", "feed it again")
    assert found
    assert found.name == "Rex"


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"pet\.json cannot be written"):
        Pet(name="Rex").write(tmp_path / "file/pet.json")


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Interval(value=float("nan"))


def test_a_failed_write_leaves_nothing_behind_and_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "pet.json"
    path.write_text("before")

    def full(file: Any) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(InputError, match="No space left on device"):
        write_whole(path, full)
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["pet.json"]


def test_folders_are_made_and_what_is_in_their_place_is_named(tmp_path: Path) -> None:
    write_whole(tmp_path / "a" / "b" / "pet.json", lambda file: file.write(b"Rex"))
    assert (tmp_path / "a" / "b" / "pet.json").read_bytes() == b"Rex"
    with pytest.raises(InputError, match=r"pet\.json/rex cannot be written"):
        write_whole(tmp_path / "a" / "b" / "pet.json" / "rex", lambda file: file.write(b"Rex"))
    with pytest.raises(InputError, match="b cannot be written"):
        write_whole(tmp_path / "a" / "b", lambda file: file.write(b"Rex"))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["pet.json"]
