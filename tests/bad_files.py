"""Files that must be refused in one clear sentence, and odd ones that must be served, each made from nothing.

Tests of the decoder, the command line and the app go through the same tables.
"""

import io
import struct
import zipfile
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import soundfile


class BadFile(NamedTuple):
    """The content of a file that is refused, and words of the sentence that says so."""

    make: Callable[[], bytes]
    words: str


def tone(seconds: float = 1.0, sample_rate: int = 22050, frequency: float = 440.0, level: float = 0.5) -> np.ndarray:
    """A sine: float64 ``(samples,)`` with peak ``level``."""
    return level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * sample_rate)) / sample_rate)


def encoded(samples: np.ndarray, sample_rate: int = 22050, format: str = "WAV", subtype: str | None = None) -> bytes:
    """Samples ``(n,)`` or ``(n, channels)`` as a file of a format of libsndfile."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate, format=format, subtype=subtype)
    return buffer.getvalue()


def _wav_with(offset: int, layout: str, value: int) -> bytes:
    """A WAV of one second whose header holds ``value`` at ``offset``."""
    data = bytearray(encoded(tone()))
    struct.pack_into(layout, data, offset, value)
    return bytes(data)


def _with_one(value: float) -> bytes:
    samples = tone()
    samples[1000] = value
    return encoded(samples, subtype="FLOAT")


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("song.wav", encoded(tone()))
    return buffer.getvalue()


def _too_long(format: str, subtype: str) -> bytes:
    return encoded(np.zeros(602 * 8000), 8000, format, subtype)


def without_length(flac: bytes) -> bytes:
    """A FLAC as a live encoder writes it: the 36 bits of STREAMINFO that hold its length are zero."""
    return flac[:21] + bytes([flac[21] & 0xF0]) + bytes(4) + flac[26:]


def _noise(size: int) -> bytes:
    return np.random.default_rng(0).bytes(size)


_NOT_SOUND = "is not a sound file"
_HLS = b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"
_SDP = b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n"

BAD_FILES: dict[str, BadFile] = {
    "empty.wav": BadFile(lambda: b"", "is empty"),
    "header_only.wav": BadFile(lambda: encoded(tone())[:44], "ends before any sound"),
    "header_only.mp3": BadFile(lambda: b"\xff\xfb\x90\x00" + bytes(40), _NOT_SOUND),
    "header_only.flac": BadFile(lambda: b"fLaC", _NOT_SOUND),
    "header_only.ogg": BadFile(lambda: encoded(tone(), format="OGG")[:60], _NOT_SOUND),
    "cut_short.flac": BadFile(lambda: encoded(tone(), format="FLAC")[:60], _NOT_SOUND),
    "text.wav": BadFile(lambda: b"hello, I am not audio\n" * 50, _NOT_SOUND),
    "text.mp3": BadFile(lambda: b"hello, I am not audio\n" * 50, _NOT_SOUND),
    "document.mp3": BadFile(lambda: b"%PDF-1.7\n" + _noise(5000), _NOT_SOUND),
    "picture.wav": BadFile(lambda: b"\x89PNG\r\n\x1a\n" + _noise(5000), _NOT_SOUND),
    "archive.flac": BadFile(_zip, _NOT_SOUND),
    "noise.m4a": BadFile(lambda: _noise(20_000), _NOT_SOUND),
    "nothing.ogg": BadFile(lambda: bytes(20_000), _NOT_SOUND),
    "only_a_tag.mp3": BadFile(lambda: b"ID3\x04\0\0\0\0\x02\x01" + bytes(2000), _NOT_SOUND),
    "no_contents.m4a": BadFile(lambda: b"\0\0\0\x1cftypM4A \0\0\x02\0M4A isomiso2" + _noise(5000), _NOT_SOUND),
    "playlist.mp3": BadFile(lambda: _HLS, _NOT_SOUND),
    "concat.mp3": BadFile(lambda: b"ffconcat version 1.0\nfile /etc/hostname\n", _NOT_SOUND),
    "stream.m4a": BadFile(lambda: _SDP, _NOT_SOUND),
    "no_channels.wav": BadFile(lambda: _wav_with(22, "<H", 0), _NOT_SOUND),
    "no_rate.wav": BadFile(lambda: _wav_with(24, "<I", 0), _NOT_SOUND),
    "nan.wav": BadFile(lambda: _with_one(np.nan), "no finite numbers"),
    "infinite.wav": BadFile(lambda: _with_one(np.inf), "no finite numbers"),
    "ten_ms.wav": BadFile(lambda: encoded(tone(0.01)), "only 10 ms"),
    "too_long.wav": BadFile(lambda: _too_long("WAV", "PCM_U8"), "longer than 10 minutes"),
    "too_long.flac": BadFile(lambda: _too_long("FLAC", "PCM_16"), "longer than 10 minutes"),
    "too_long_stream.flac": BadFile(lambda: without_length(_too_long("FLAC", "PCM_16")), "longer than 10 minutes"),
}

ODD_FILES: dict[str, Callable[[], bytes]] = {
    "silence.wav": lambda: encoded(np.zeros(22050)),
    "six_channels_96_khz.wav": lambda: encoded(np.tile(tone(1, 96000)[:, None], 6), 96000),
    "telephone_8_khz.wav": lambda: encoded(tone(1, 8000), 8000),
    "studio_192_khz.flac": lambda: encoded(tone(1, 192000), 192000, "FLAC", "PCM_24"),
    "eight_bit.wav": lambda: encoded(tone(), subtype="PCM_U8"),
    "float.wav": lambda: encoded(tone(), subtype="FLOAT"),
    "double.wav": lambda: encoded(tone(), subtype="DOUBLE"),
    "too_loud.wav": lambda: encoded(tone(level=8.0), subtype="FLOAT"),
    "really_an_mp3.wav": lambda: encoded(tone(), format="MP3"),
    "really_a_wav.m4a": lambda: encoded(tone()),
    "no_extension": lambda: encoded(tone(), format="OGG"),
    "ünïcode näme – 音 🎻.wav": lambda: encoded(tone()),
    "cut_in_the_middle.wav": lambda: encoded(tone(2))[:50_000],
    "cut_in_the_middle.mp3": lambda: encoded(tone(2), format="MP3")[:10_000],
    "cut_in_the_middle.flac": lambda: encoded(np.random.default_rng(0).uniform(-0.5, 0.5, 44100), format="FLAC")[
        :50_000
    ],
    "length_not_in_header.wav": lambda: _wav_with(40, "<I", 0xFFFFFFFF),
    "length_not_in_header.flac": lambda: without_length(encoded(tone(), format="FLAC")),
    "opus.ogg": lambda: encoded(tone(1, 48000), 48000, "OGG", "OPUS"),
    "apple.aiff": lambda: encoded(tone(), format="AIFF"),
}
