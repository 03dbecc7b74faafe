"""The server's memory, small: two songs of ten minutes at once, then two in turn, and what is left of them."""

import pytest

from core.paths import ROOT
from tests.browser.serving import CHROMIUM
from tests.soak.soak import soak

PEAK_MB, LEFT_MB, GROWTH_MB = 3000, 1500, 150

pytestmark = [
    pytest.mark.soak,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]


def test_memory_is_bounded_and_given_back() -> None:
    stages = dict(soak(ROOT, at_once=2, in_turn=2))
    assert max(stage["peak"] for stage in stages.values()) <= PEAK_MB
    assert stages["all left"]["now"] <= LEFT_MB
    assert stages["all left again"]["now"] <= stages["all left"]["now"] + GROWTH_MB
