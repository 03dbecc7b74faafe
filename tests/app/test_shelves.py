"""What visitors uploaded: bounds for each and for all, and what goes first."""

import gc

import numpy as np

from app.frame.shelves import Shelf, Shelves

KB = 1024


def sound(kilobytes: int) -> np.ndarray:
    return np.zeros(kilobytes * KB, np.uint8)


def test_what_a_visitor_used_least_recently_makes_room() -> None:
    shelves, shelf = Shelves[np.ndarray](10 * KB, 100 * KB), Shelf[np.ndarray]()
    for name in "ab":
        shelves.put(shelf, name, sound(4))
    assert shelves.find(shelf, "a") is not None
    shelves.put(shelf, "c", sound(4))
    assert list(shelf.sounds) == ["a", "c"]
    assert shelves.find(shelf, "b") is None
    assert shelves.size() == 8 * KB


def test_visitors_make_room_for_each_other_and_see_only_their_own() -> None:
    shelves, mine, yours = Shelves[np.ndarray](10 * KB, 12 * KB), Shelf[np.ndarray](), Shelf[np.ndarray]()
    shelves.put(mine, "a", sound(5))
    assert shelves.find(yours, "a") is None
    shelves.put(mine, "b", sound(5))
    shelves.put(yours, "c", sound(5))
    assert list(mine.sounds) == ["b"]
    assert list(yours.sounds) == ["c"]
    assert shelves.size() <= shelves.together


def test_what_came_last_stays_even_if_it_is_too_large() -> None:
    shelves, mine, yours = Shelves[np.ndarray](10 * KB, 12 * KB), Shelf[np.ndarray](), Shelf[np.ndarray]()
    shelves.put(mine, "a", sound(5))
    shelves.put(yours, "large", sound(20))
    assert not mine.sounds
    assert shelves.find(yours, "large") is not None


def test_a_shelf_goes_with_its_session() -> None:
    shelves, shelf = Shelves[np.ndarray](10 * KB, 12 * KB), Shelf[np.ndarray]()
    shelves.put(shelf, "a", sound(5))
    del shelf
    gc.collect()
    assert shelves.size() == 0
