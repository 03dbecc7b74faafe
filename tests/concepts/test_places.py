"""Cells of layers, and the patches of sound that they see."""

import pytest

from core.concepts.places import Places
from core.frontends.frontend import FrontendConfig, frontend
from core.models.network import ReceptiveField

FRONTEND = frontend(FrontendConfig())
HOP_S = 512 / 22050


def test_a_patch_is_in_seconds_and_hertz() -> None:
    places = Places({"conv": ReceptiveField((0, 0), (2, 4), (9, 9))}, FRONTEND, duration=5)
    patch = places.patch("conv", band=10, frame=20)
    assert patch.time_s == pytest.approx(FRONTEND.frame_times(100)[80], abs=1e-4)
    assert patch.duration_s == pytest.approx(3 * HOP_S, abs=1e-4)
    low, middle, high = FRONTEND.band_hz[[18, 20, 22]]
    assert low < patch.low_hz < middle < patch.high_hz < high


def test_a_patch_ends_where_the_sound_ends() -> None:
    places = Places({"conv": ReceptiveField((0, 0), (1, 1), (500**2, 5000**2))}, FRONTEND, duration=5)
    patch = places.patch("conv", 3, 4)
    assert (patch.time_s, patch.duration_s) == (2.5, 5)
    assert (patch.low_hz, patch.high_hz) == (30, 11025)
