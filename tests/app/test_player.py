"""What the player sends to the browser, read back with other decoders than those that wrote it."""

import base64
import io
import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import wavfile
from streamlit.testing.v1 import AppTest

from app.components import player as module
from app.components.player import Overlay, Track, encoding
from core.audio import Audio

RATE = 8000


def decoded(address: str) -> bytes:
    """Content of the data address that a bare Python run gets."""
    return base64.b64decode(address.split(",", 1)[1])


def picture(png: bytes | None) -> np.ndarray:
    """RGBA ``(height, width, 4)``, row 0 on top."""
    assert png
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA")).astype(int)


@pytest.fixture
def arguments() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {
        "key": "k",
        "tracks": [
            Track(name, Audio(rng.uniform(-0.4, 0.4, RATE).astype(np.float32), RATE), "red") for name in ("a", "b")
        ],
        "spectrogram": rng.random((8, 20)),
        "duration": 1.0,
        "band_hz": np.geomspace(50, 4000, 8),
        "overlay": Overlay("Relevance", rng.normal(size=(8, 20))),
    }


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Any]]:
    """Calls the player and returns the data that it hands to the browser."""

    def call(**arguments: Any) -> dict[str, Any]:
        mounted: dict[str, Any] = {}
        monkeypatch.setattr(module, "_mount", lambda **given: mounted.update(given))
        module.player(**arguments)
        assert mounted["key"] == arguments["key"]
        return json.loads(json.dumps(mounted["data"]))

    return call


def sounds(data: dict[str, Any]) -> list[np.ndarray]:
    return [wavfile.read(io.BytesIO(decoded(track["url"])))[1] / 32768 for track in data["tracks"]]


def test_sounds_come_back_as_they_were(arguments: dict[str, Any], sent: Callable[..., dict[str, Any]]) -> None:
    data = sent(**arguments)
    assert [track["name"] for track in data["tracks"]] == ["a", "b"]
    for track, sound in zip(arguments["tracks"], sounds(data), strict=True):
        np.testing.assert_allclose(sound, track.sound.samples, atol=0.51 / 32768)


@pytest.mark.parametrize(("mode", "gain"), [("switch", 0.99 / 1.5), ("mixer", 0.99 / 2.0)])
def test_one_gain_for_all_tracks_so_that_nothing_clips(
    arguments: dict[str, Any], sent: Callable[..., dict[str, Any]], mode: str, gain: float
) -> None:
    loud, quiet = np.full(RATE, -1.5, np.float32), np.full(RATE // 2, -0.5, np.float32)
    tracks = [Track("loud", Audio(loud, RATE), "red"), Track("quiet", Audio(quiet, RATE), "blue")]
    louder, quieter = sounds(sent(**{**arguments, "tracks": tracks, "mode": mode}))
    np.testing.assert_allclose(louder, loud * gain, atol=1e-4)
    np.testing.assert_allclose(quieter[: RATE // 2], quiet * gain, atol=1e-4)


def test_nothing_clips_when_tracks_are_made_equally_loud(
    arguments: dict[str, Any], sent: Callable[..., dict[str, Any]]
) -> None:
    loud, quiet = np.full(RATE, 0.8, np.float32), np.full(RATE, 0.3, np.float32)
    tracks = [Track("a", Audio(loud, RATE), "red"), Track("b", Audio(quiet, RATE), "blue", gain_db=20.0)]
    data = sent(**{**arguments, "tracks": tracks})
    assert [track["gain"] for track in data["tracks"]] == [1, pytest.approx(10)]
    sounding = np.array([track["gain"] * sound[0] for track, sound in zip(data["tracks"], sounds(data), strict=True)])
    np.testing.assert_allclose(sounding, [0.8 * 0.33, 0.99], atol=1e-3)


def test_a_gain_that_only_turns_down_costs_no_level(
    arguments: dict[str, Any], sent: Callable[..., dict[str, Any]]
) -> None:
    tracks = [Track("a", Audio(np.full(RATE, 0.8, np.float32), RATE), "red", gain_db=-6.0)]
    np.testing.assert_allclose(sounds(sent(**{**arguments, "tracks": tracks}))[0], 0.8, atol=1e-4)


@pytest.mark.parametrize("duration", [0.5, 2.0])
def test_every_track_lasts_as_long_as_the_picture(
    arguments: dict[str, Any], sent: Callable[..., dict[str, Any]], duration: float
) -> None:
    length = round(duration * RATE)
    for track, sound in zip(arguments["tracks"], sounds(sent(**{**arguments, "duration": duration})), strict=True):
        assert len(sound) == length
        np.testing.assert_allclose(sound[:RATE], track.sound.samples[:length], atol=1e-4)
        assert not sound[RATE:].any()


def test_a_song_is_sent_without_another_copy_of_its_samples() -> None:
    song = Audio(np.zeros(10_000_000, np.float32), 22050)
    tracemalloc.start()
    file = encoding.wav(song, len(song.samples), gain=1.0)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2.5 * len(file), "the samples as whole numbers, and the file"


def test_spectrogram_is_drawn_with_low_frequencies_at_the_bottom_and_late_frames_right() -> None:
    values = np.zeros((3, 5))
    values[0, 4] = 1.0
    image = picture(encoding.spectrogram_png(values))
    brightness = image[..., :3].sum(axis=-1)
    assert image.shape == (3, 5, 4)
    assert np.unravel_index(brightness.argmax(), brightness.shape) == (2, 4)
    assert (image[..., 3] == 255).all()


def test_spectrogram_gets_brighter_with_the_value() -> None:
    image = picture(encoding.spectrogram_png(np.linspace(0, 1, 256)[None]))
    luminance = image[0, :, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) > -1).all()
    assert luminance[0] < 5
    assert luminance[-1] > 240


def test_long_pictures_are_averaged_to_a_width_that_browsers_can_draw() -> None:
    values = np.linspace(0, 1, 25_001)[None].repeat(2, axis=0)
    narrow = encoding._fit_columns(values)
    assert narrow.shape == (2, encoding.MAX_COLUMNS)
    np.testing.assert_allclose(narrow[0], np.linspace(0, 1, encoding.MAX_COLUMNS), atol=1e-3)
    assert encoding._fit_columns(values[:, :4096]).shape == (2, 4096)
    assert picture(encoding.spectrogram_png(np.zeros((2, 900)), columns=300)).shape == (2, 300, 4)


def test_evidence_is_warm_for_and_cool_against_and_clear_at_zero() -> None:
    values = np.array([[1.0, 0.0, -1.0, 0.25]])
    positive, negative = map(picture, encoding.evidence_pngs(values))
    assert positive[0, :, 3].tolist() == pytest.approx([255, 0, 0, 127.5], abs=1)
    assert negative[0, :, 3].tolist() == [0, 0, 255, 0]
    assert positive[0, 0, 0] > positive[0, 0, 2]  # more red than blue
    assert negative[0, 2, 0] < negative[0, 2, 2]


def test_evidence_for_and_against_share_one_scale() -> None:
    values = np.repeat([[1.0, -0.25]], 50, axis=1)
    positive, negative = map(picture, encoding.evidence_pngs(values))
    assert (positive[..., 3].max(), negative[..., 3].max()) == (255, pytest.approx(127.5, abs=1))


@pytest.mark.parametrize(
    ("values", "layers"),
    [([[0.0, 1.0]], {"for"}), ([[0.0, -1.0]], {"against"}), ([[0.0, 0.0]], set()), ([[1.0, -1.0]], {"for", "against"})],
)
def test_only_layers_with_evidence_are_sent(
    arguments: dict[str, Any], sent: Callable[..., dict[str, Any]], values: list[list[float]], layers: set[str]
) -> None:
    small = {"spectrogram": np.zeros((1, 2)), "band_hz": np.ones(1), "overlay": Overlay("R", np.array(values))}
    assert set(sent(**{**arguments, **small})["overlay"]["layers"]) == layers


def test_without_overlay_none_is_sent(arguments: dict[str, Any], sent: Callable[..., dict[str, Any]]) -> None:
    assert sent(**{**arguments, "overlay": None})["overlay"] is None


def test_one_extreme_cell_does_not_hide_the_rest() -> None:
    values = np.ones((10, 100))
    values[0, 0] = 1e6
    assert (picture(encoding.evidence_pngs(values)[0])[..., 3] == 255).all()


def _with(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda arguments: {**arguments, **changes}


def _tracks(*tracks: Track) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return _with(tracks=list(tracks))


ONE = np.ones(10, np.float32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_tracks(), "at least one track"),
        (_tracks(Track("a", Audio(ONE, 8000), ""), Track("a", Audio(ONE, 8000), "")), "names must differ"),
        (_tracks(Track("", Audio(ONE, 8000), "")), "names must differ and not be empty"),
        (_tracks(Track("a", Audio(ONE, 8000), ""), Track("b", Audio(ONE, 44100), "")), "one sample rate"),
        (_tracks(Track("a", Audio(np.ones((2, 10)), 8000), "")), r"mono \(n,\)"),
        (_tracks(Track("a", Audio(np.ones(0), 8000), "")), "not empty"),
        (_tracks(Track("a", Audio(np.array([0.0, np.nan]), 8000), "")), "'a' holds NaN"),
        (_tracks(Track("a", Audio(np.array([0.0, -np.inf]), 8000), "")), "'a' holds NaN"),
        (_tracks(Track("a", Audio(ONE, 8000), "", gain_db=float("inf"))), "gains of tracks must be finite"),
        (_with(duration=0.0), "duration must be positive"),
        (_with(duration=float("nan")), "duration must be positive"),
        (_with(spectrogram=np.zeros(8)), "spectrogram must be"),
        (_with(spectrogram=np.zeros((8, 0))), "spectrogram must be"),
        (_with(spectrogram=np.full((8, 20), 1.1)), r"lie in \[0, 1\]"),
        (_with(spectrogram=np.full((8, 20), np.nan)), r"lie in \[0, 1\]"),
        (_with(band_hz=np.arange(7)), "8 frequencies"),
        (_with(band_hz=np.zeros(8)), "must increase"),
        (_with(overlay=Overlay("R", np.zeros((8, 21)))), "spectrogram's shape"),
        (_with(overlay=Overlay("R", np.full((8, 20), np.inf))), "overlay holds NaN"),
    ],
)
def test_bad_arguments_are_named(
    arguments: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        module.player(**change(arguments))


def _page() -> None:
    import numpy as np
    import streamlit as st

    from app.components.player import Overlay, Track, player
    from core.audio import Audio

    length = 1_500_000  # large enough for Streamlit's own file ids to sample instead of hashing
    sound = np.zeros(length, np.float32)
    other = sound.copy()
    other[300_000] = 0.5
    player(
        key="k",
        tracks=[Track("silence", Audio(sound, 22050), "red"), Track("click", Audio(other, 22050), "blue")],
        spectrogram=np.zeros((2, 3)),
        duration=length / 22050,
        band_hz=np.array([100.0, 200.0]),
        overlay=Overlay("R", np.ones((2, 3)) if st.toggle("flip") else -np.ones((2, 3))),
    )


def test_addresses_follow_the_content_over_reruns() -> None:
    def sent(page: AppTest) -> dict[str, Any]:
        (component,) = page.get("bidi_component")
        assert len(component.proto.json) < 2000
        return json.loads(component.proto.json)

    page = AppTest.from_function(_page, default_timeout=60).run()
    first, again = sent(page), sent(page.run())
    flipped = sent(page.toggle[0].set_value(True).run())
    assert not page.exception
    assert again == first
    assert flipped["tracks"] == first["tracks"]
    assert flipped["overlay"] != first["overlay"]
    silence, click = (track["url"] for track in first["tracks"])
    assert silence != click
