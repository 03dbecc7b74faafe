"""Sound in and out of files. The rest of the program sees mono float32 that carries its sample rate, and nothing else.

soundfile decodes WAV, FLAC, OGG, MP3 and the other formats of libsndfile; ffmpeg decodes the rest (M4A, AAC, WMA, WebM,
the sound of a video, ...). The content decides, never the name of the file.

Conventions:
    - Several channels become their mean, which keeps a sound in all channels at its level.
    - Full scale is 1. Sound above it (float files, lossy codecs) is scaled as a whole to a peak of 1, so that nothing
      clips later.
    - A truncated file is decoded up to its end.
    - The length, rate and channels that a file declares are checked before memory is taken. Decoding goes block by
      block, and holds no more than the mono sound at its final rate.
    - A file that cannot be used raises `InputError`: one sentence that names the file and says what to do.
"""

import io
import json
import os
import shutil
import subprocess
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread, Timer
from typing import IO, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile
import soxr
from scipy.io import wavfile

from core.errors import InputError
from core.records import write_whole

SAMPLE_RATE = 22050  # of composed clips
MIN_RATE, MAX_RATE = 1000, 384_000
MAX_CHANNELS = 64
MAX_BYTES = 50 * 2**20
MAX_SECONDS = 600
MAX_VALUES = 2 * 192_000 * MAX_SECONDS  # in all channels; decoding so many, ten minutes of stereo, takes some seconds
MIN_SECONDS = 0.05

_LIMIT_SECONDS = MAX_SECONDS + 0.5  # encoders pad the end, and ten minutes may come back a little longer
_BLOCK_FRAMES = 4096  # what follows the first damaged block is lost, so blocks are short
_PCM_BLOCK = 2**16
_UNKNOWN_FRAMES = 2**63 - 1  # libsndfile's length of a FLAC stream that does not say how long it is
_PROBE_TIMEOUT_SECONDS = 30
_FFMPEG_TIMEOUT_SECONDS = 120  # for the whole file; ten minutes of sound take some seconds

# The ffmpeg demuxers that read nothing but the file itself. Playlists (HLS, DASH, concat, SDP, ...) are left out on
# purpose: they make ffmpeg open other files and addresses.
_CONTAINERS = (
    "mov,matroska,asf,aac,ogg,aiff,amr,caf,flac,mp3,wav,w64,au,avi,flv,mpegts,mpeg,ac3,eac3,dts,ape,wv,tta,tak,mpc,mpc8"
)

Samples = np.ndarray
Blocks = Generator[Samples, None, None]


@dataclass(frozen=True, eq=False)
class Audio:
    """A sound.

    Attributes:
        samples: Mono float32 ``(n,)``; full scale is 1.
        sample_rate: Samples per second.
        name: The name of its file, for people.
    """

    samples: Samples
    sample_rate: int
    name: str = ""

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.sample_rate

    def at(self, sample_rate: int) -> "Audio":
        """The sound at another rate; see `resample`."""
        if sample_rate == self.sample_rate:
            return self
        return Audio(resample(self.samples, self.sample_rate, sample_rate), sample_rate, self.name)

    def cut(self, start: float, seconds: float) -> "Audio":
        """A part that lasts ``seconds`` and begins at ``start`` seconds, or earlier if it would reach over the end.

        A shorter sound is returned whole. The part is a copy, so that it does not keep the sound in memory.

        >>> Audio(np.arange(8, dtype=np.float32), 2).cut(start=3.0, seconds=2.0).samples.tolist()
        [4.0, 5.0, 6.0, 7.0]
        """
        length = min(round(seconds * self.sample_rate), len(self.samples))
        first = min(max(round(start * self.sample_rate), 0), len(self.samples) - length)
        return Audio(self.samples[first : first + length].copy(), self.sample_rate, self.name)


def load(path: Path | str, sample_rate: int | None = None) -> Audio:
    """Reads and decodes the file at ``path``; see `decode`.

    Raises:
        InputError: there is no such file, it is a folder, may not be read, or cannot be decoded.
    """
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError(f"{_shown(path)} is a folder; name a sound file in it.")
        _check_size(path.stat().st_size, path.name)
        return decode(path.read_bytes(), path.name, sample_rate)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {_shown(path)}; check its path.") from error
    except OSError as error:
        raise InputError(
            f"{_shown(path)} cannot be read ({error.strerror}); check its path and permissions."
        ) from error


def decode(data: bytes, name: str, sample_rate: int | None = None) -> Audio:
    """Decodes the content of a sound file of any format, sample rate and number of channels.

    Args:
        data: The whole file.
        name: What to call it, in messages and in the result.
        sample_rate: The rate of the result; that of the file if not given.

    Raises:
        InputError: the file is empty, too big, too long or too short, damaged, or no sound.
    """
    _check_size(len(data), name)
    try:
        with _SequentialFile(_TolerantBytes(data)) as file:
            format = _Format(file.samplerate, file.channels, file.frames if file.frames < _UNKNOWN_FRAMES else None)
            samples = _gathered(_file_blocks(file), format, sample_rate, name)
    except soundfile.LibsndfileError:
        format, codec = _probe(data, name)
        blocks = _in_milliseconds(_ffmpeg_blocks(data, format, codec, name), format.sample_rate)
        samples = _gathered(blocks, format, sample_rate, name)
    sound = Audio(samples, sample_rate or format.sample_rate, name)
    _check_samples(sound)
    peak = _peak(samples)
    return Audio(samples / peak, sound.sample_rate, name) if peak > 1 else sound


def resample(samples: Samples, source_rate: int, target_rate: int) -> Samples:
    """Samples ``(n,)`` at another rate, as float32 (soxr, "HQ": flat to 0.91 of the lower Nyquist frequency).

    >>> resample(np.zeros(44100, np.float32), 44100, 22050).shape
    (22050,)
    """
    if source_rate == target_rate:
        return samples.astype(np.float32, copy=False)
    return soxr.resample(samples.astype(np.float32, copy=False), source_rate, target_rate, quality="HQ")


def wav_bytes(sound: Audio, subtype: Literal["PCM_16", "FLOAT"] = "PCM_16") -> bytes:
    """A sound as a mono WAV file; the same samples always give the same bytes.

    ``PCM_16`` clips to [-1, 1]; ``FLOAT`` keeps every float32 as it is. (SciPy writes it, because libsndfile puts the
    time of day into float files.)

    >>> len(wav_bytes(Audio(np.zeros(100, np.float32), 22050)))
    244
    """
    values = _pcm_16(sound.samples) if subtype == "PCM_16" else sound.samples.astype("<f4", copy=False)
    buffer = io.BytesIO()
    wavfile.write(buffer, sound.sample_rate, values)
    return buffer.getvalue()


def _pcm_16(samples: Samples) -> npt.NDArray[np.int16]:
    """Samples ``(n,)`` as whole numbers of 16 bits, clipped; computed block by block, as songs are long."""
    pcm = np.empty(len(samples), "<i2")
    for start in range(0, len(samples), _PCM_BLOCK):
        block = slice(start, start + _PCM_BLOCK)
        scaled = samples[block] * np.float32(32768)
        pcm[block] = np.clip(np.rint(scaled, out=scaled), -32768, 32767, out=scaled)
    return pcm


def can_write_mp3() -> bool:
    """Whether there is an ffmpeg, which `mp3_bytes` needs."""
    return shutil.which("ffmpeg") is not None


def mp3_bytes(sound: Audio) -> bytes:
    """A sound as a mono MP3 file of high quality (LAME's V2), to be shared: a fifth or less of `wav_bytes`.

    Raises:
        InputError: there is no ffmpeg.
    """
    if not can_write_mp3():
        raise InputError("An MP3 is written by ffmpeg; install it (`apt-get install ffmpeg` or `brew install ffmpeg`).")
    from pydub import AudioSegment  # here, because it warns on import where ffmpeg is missing

    segment = AudioSegment(_pcm_16(sound.samples).tobytes(), sample_width=2, frame_rate=sound.sample_rate, channels=1)
    buffer = io.BytesIO()
    segment.export(buffer, "mp3", parameters=["-q:a", "2"])
    return buffer.getvalue()


def write_wav(path: Path | str, sound: Audio, subtype: Literal["PCM_16", "FLOAT"] = "PCM_16") -> None:
    """Writes `wav_bytes` to ``path``.

    Raises:
        InputError: the file cannot be written.
    """
    write_whole(Path(path), lambda file: file.write(wav_bytes(sound, subtype)))


def common_gain(*sounds: Samples, ceiling: float = 0.99) -> float:
    """One gain for several sounds: none of them clips, and their loudness relative to each other is kept.

    >>> common_gain(np.array([0.5]), np.array([-1.98])), common_gain(np.array([0.5]))
    (0.5, 1.0)
    """
    peak = max(map(_peak, sounds), default=0.0)
    return min(1.0, ceiling / peak) if peak > 0 else 1.0


def _peak(samples: Samples) -> float:
    return max(float(samples.max(initial=0)), -float(samples.min(initial=0)))


@contextmanager
def quiet_codecs() -> Iterator[None]:
    """Silences C libraries on standard error, where libmpg123 comments on damaged MP3 files.

    Only the command line uses it, so that nothing but its own messages appears there. It redirects the descriptor of
    the whole process, which would affect the other threads of a server.
    """
    saved = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as sink:
            os.dup2(sink.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)


class _Format(NamedTuple):
    """What a file declares about its sound.

    Attributes:
        frames: Samples of each channel; None where the file does not say.
    """

    sample_rate: int
    channels: int
    frames: int | None


class _Codec(NamedTuple):
    """What ffmpeg calls the container and the codec of a file, and the number of the stream to decode."""

    container: str
    name: str
    stream: int


class _TolerantBytes(io.BytesIO):
    """A file in memory that ignores a seek to before its start.

    Damaged files make libsndfile do this, and soundfile would print a traceback.
    """

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return super().seek(offset, whence)
        except ValueError:
            return self.tell()


class _SequentialFile(soundfile.SoundFile):
    """A file that is read from start to end, without seeking.

    soundfile would seek after every block, to where it is already, and the MP3 decoder would lose its bit reservoir.
    """

    def seekable(self) -> bool:
        return False


def _gathered(blocks: Blocks, format: _Format, sample_rate: int | None, name: str) -> Samples:
    """The mono blocks of a file as one sound ``(n,)``, at another rate if one is given."""
    with closing(blocks):
        _check_format(format, name)
        bounded = _bounded(blocks, format, name)
        if sample_rate is None or sample_rate == format.sample_rate:
            parts = list(bounded)
        else:
            # Resampling in blocks gives the same samples as `resample` gives for the whole sound.
            stream = soxr.ResampleStream(format.sample_rate, sample_rate, 1, dtype="float32", quality="HQ")
            parts = [stream.resample_chunk(block) for block in bounded]
            parts.append(stream.resample_chunk(np.zeros(0, np.float32), last=True))
    samples = np.concatenate([np.zeros(0, np.float32), *parts])
    if not len(samples):
        raise InputError(f"{_shown(name)} ends before any sound begins; copy or export it again.")
    return samples


def _bounded(blocks: Blocks, format: _Format, name: str) -> Iterator[Samples]:
    """Passes the blocks on, and refuses the file once it exceeds the limits, whatever it declares."""
    frames = 0
    for block in blocks:
        frames += len(block)
        _check_frames(frames, format, name)
        yield block


def _file_blocks(file: soundfile.SoundFile) -> Blocks:
    """The mono blocks that soundfile can decode, up to the first damage."""
    while True:
        try:
            block = file.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)  # (frames, channels)
        except soundfile.LibsndfileError:
            return
        if not len(block):
            return
        yield block.mean(axis=1)


def _ffmpeg_blocks(data: bytes, format: _Format, codec: _Codec, name: str) -> Blocks:
    """The mono blocks that ffmpeg can decode.

    Its options name the container and the codec, which `_probe` found to be harmless, so that it uses no others. It may
    take `_FFMPEG_TIMEOUT_SECONDS`.
    """
    command = ["ffmpeg", "-v", "error", "-protocol_whitelist", "cache,pipe", "-f", codec.container]
    command += ["-c:a", codec.name, "-read_ahead_limit", "-1", "-i", "cache:pipe:0", "-map", f"0:{codec.stream}"]
    command += ["-ac", str(format.channels), "-ar", str(format.sample_rate), "-f", "s16le", "-"]
    size = 2 * format.channels
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdin
        assert process.stdout
        Thread(target=_feed, args=(process.stdin, data), daemon=True).start()
        with _ended_in_time(process) as too_slow:
            try:
                while block := process.stdout.read(_BLOCK_FRAMES * size):
                    frames = np.frombuffer(block[: len(block) // size * size], "<i2").reshape(-1, format.channels)
                    yield frames.mean(axis=1, dtype=np.float32) / np.float32(32768)
            except GeneratorExit:  # the caller does not want the rest
                process.kill()
                raise
            process.wait()
    if too_slow.is_set():
        raise _slow(name)
    if process.returncode:
        raise _unreadable(name)


@contextmanager
def _ended_in_time(process: subprocess.Popen[bytes]) -> Iterator[Event]:
    """Ends a process that still runs after `_FFMPEG_TIMEOUT_SECONDS`; the event says whether that was necessary."""
    too_slow = Event()

    def end() -> None:
        too_slow.set()
        process.kill()

    timer = Timer(_FFMPEG_TIMEOUT_SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield too_slow
    finally:
        timer.cancel()


def _in_milliseconds(blocks: Blocks, sample_rate: int) -> Blocks:
    """The blocks, with the end of the last one cut, or padded with silence, to a whole number of milliseconds.

    Lossy formats hold packets of about a thousand samples, so their exact length means nothing. A fixed rule for the
    length keeps the answers about a file the same.
    """
    frames, held = 0, np.zeros(0, np.float32)
    with closing(blocks):
        for block in blocks:
            frames += len(block)
            held = np.concatenate([held, block])
            ready = max(len(held) - sample_rate // 1000, 0)
            if ready:
                yield held[:ready]
                held = held[ready:]
    missing = int(round(1000 * (frames / sample_rate)) * (sample_rate / 1000)) - frames
    yield np.pad(held, (0, missing)) if missing > 0 else held[: len(held) + missing]


def _feed(pipe: IO[bytes], data: bytes) -> None:
    """Writes a file to ffmpeg, which may end before it has read all of it."""
    with suppress(BrokenPipeError), pipe:
        pipe.write(data)


def _probe(data: bytes, name: str) -> tuple[_Format, _Codec]:
    """The format and codec of the sound that ffmpeg would choose in a file that soundfile does not know."""
    if not (shutil.which("ffmpeg") and shutil.which("ffprobe")):
        raise InputError(
            f"{_shown(name)} is neither WAV, FLAC, OGG nor MP3; if it is other sound (M4A, AAC, WMA), install ffmpeg "
            "(`apt-get install ffmpeg` or `brew install ffmpeg`) and try again, or save it as WAV."
        )
    command = ["ffprobe", "-v", "error", "-of", "json", "-protocol_whitelist", "cache,pipe"]
    command += ["-format_whitelist", _CONTAINERS, "-select_streams", "a", "-show_entries"]
    command += ["format=format_name,duration:stream=index,codec_name,channels,sample_rate:stream_disposition=default"]
    command += ["-read_ahead_limit", "-1", "cache:pipe:0"]  # an M4A may keep its table of contents at its end
    try:
        answer = subprocess.run(command, input=data, capture_output=True, timeout=_PROBE_TIMEOUT_SECONDS, check=True)
    except subprocess.TimeoutExpired as error:
        raise _slow(name) from error
    except subprocess.CalledProcessError as error:
        raise _unreadable(name) from error
    found = json.loads(answer.stdout)
    if not found["streams"]:
        raise InputError(f"{_shown(name)} has no sound track; choose a file that holds sound.")
    stream = max(found["streams"], key=lambda stream: (stream["disposition"]["default"], stream.get("channels", 0)))
    try:
        rate, channels, duration = int(stream["sample_rate"]), int(stream["channels"]), found["format"].get("duration")
        format = _Format(rate, channels, round(float(duration) * rate) if duration else None)
        codec = _Codec(found["format"]["format_name"].split(",")[0], stream["codec_name"], stream["index"])
    except (KeyError, ValueError) as error:
        raise _unreadable(name) from error
    return format, codec


def _check_format(format: _Format, name: str) -> None:
    if not MIN_RATE <= format.sample_rate <= MAX_RATE:
        raise InputError(f"{_shown(name)} claims a sample rate of {format.sample_rate} Hz; save it at 44100 Hz.")
    if format.channels > MAX_CHANNELS:
        raise InputError(f"{_shown(name)} claims {format.channels} channels; save it as stereo.")
    _check_frames(format.frames or 0, format, name)


def _check_frames(frames: int, format: _Format, name: str) -> None:
    _check_length(frames / format.sample_rate, name)
    if frames * format.channels > MAX_VALUES:
        raise InputError(
            f"{_shown(name)} holds too much sound ({format.channels} channels at {format.sample_rate} Hz); "
            "save it as stereo at 44100 Hz."
        )


def _check_size(size: int, name: str) -> None:
    if size == 0:
        raise InputError(f"{_shown(name)} is empty; choose a file that holds sound.")
    if size > MAX_BYTES:
        raise InputError(
            f"{_shown(name)} has {size / 2**20:.1f} MB, and at most {MAX_BYTES // 2**20} MB can be read; "
            "shorten it, or save it as MP3."
        )


def _check_length(seconds: float, name: str) -> None:
    if seconds > _LIMIT_SECONDS:
        raise InputError(
            f"{_shown(name)} lasts longer than {MAX_SECONDS // 60} minutes; cut out the part that you want to hear."
        )


def _check_samples(sound: Audio) -> None:
    _check_length(sound.duration, sound.name)
    if len(sound.samples) < int(MIN_SECONDS * sound.sample_rate):
        raise InputError(
            f"{_shown(sound.name)} holds only {sound.duration * 1000:.0f} ms of sound, and at least "
            f"{MIN_SECONDS * 1000:.0f} ms are needed; choose a longer recording."
        )
    if not np.isfinite(sound.samples).all():
        raise InputError(
            f"{_shown(sound.name)} holds samples that are no finite numbers (NaN or infinite); export it again."
        )


def _unreadable(name: str) -> InputError:
    return InputError(
        f"{_shown(name)} is not a sound file that can be read, or is damaged; save it as WAV, FLAC, OGG, MP3 or M4A."
    )


def _slow(name: str) -> InputError:
    return InputError(f"{_shown(name)} takes ffmpeg too long to decode; save it as WAV, FLAC, OGG or MP3.")


def _shown(name: Path | str) -> str:
    r"""A name as one short piece of a line, whatever characters it holds.

    >>> _shown("two\nlines.wav")
    "'two\\nlines.wav'"
    """
    shown = repr(str(name))
    return shown if len(shown) <= 120 else f"{shown[:20]}…{shown[-95:]}"
