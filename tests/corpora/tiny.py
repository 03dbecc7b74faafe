"""Tiny corpora of genres in every layout, and where the pack of precomputed features lies, if it is there."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

from core.audio import SAMPLE_RATE, Audio, write_wav
from core.corpora.mels import GRID
from core.paths import ROOT

PACK = next((each for each in (parent / "shared/genre" for parent in ROOT.parents) if each.is_dir()), None)
needs_pack = pytest.mark.skipif(PACK is None, reason="the genre pack (../shared/genre) is not here")

COLUMNS = 12
TRACKS = ("blues.00000", "blues.00012", "jazz.00054", "metal.00002", "rock.00016")
SPLITS = dict(zip(TRACKS, ("valid", "test", "train", "train", "train"), strict=True))


def tone(seconds: float = 1.0, pitch: float = 440.0) -> Audio:
    """A tone with some noise, different for each pitch."""
    noise = np.random.default_rng(round(pitch)).normal(0, 0.01, round(seconds * SAMPLE_RATE))
    wave = np.sin(2 * np.pi * pitch * np.arange(len(noise)) / SAMPLE_RATE) / 2
    return Audio((wave + noise).astype(np.float32), SAMPLE_RATE)


def sound(path: Path, audio: Audio) -> None:
    """Writes a sound in the format of its suffix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".wav":
        write_wav(path, audio)
    else:
        soundfile.write(path, audio.samples, audio.sample_rate)


def gtzan(folder: Path, tracks: Iterable[str] = TRACKS, place: str = "genres", suffix: str = ".wav") -> None:
    """The folder of GTZAN with a few of its excerpts."""
    for number, track in enumerate(tracks):
        sound(folder / place / track.partition(".")[0] / f"{track}{suffix}", tone(pitch=200 + 50 * number))


def fma(folder: Path, missing: Iterable[str] = ()) -> None:
    """The folder of FMA-small with four clips, among a track of the large part and one without a split."""
    header = [
        ",album,artist,artist,set,set,track,track,track",
        ",title,id,name,split,subset,genre_top,genres,title",
        "track_id,,,,,,,,",
    ]
    rows = {
        "2": 'A,1,AWOL,training,small,Hip-Hop,"[21, 4]",Food',
        "5": 'A,1,AWOL,training,small,Rock,[12],"This, World"',
        "140": "B,54,Abominog,test,small,Pop,[17],Sunday",
        "10": "C,6,Kurt Vile,training,large,Pop,[10],Freeway",
        "98565": "D,7,,validation,small,Folk,[17],",
    }
    table = folder / "fma_metadata/tracks.csv"
    table.parent.mkdir(parents=True)
    table.write_text("\n".join([*header, *(f"{track},{row}" for track, row in rows.items())]) + "\n")
    for number, track in enumerate(rows):
        id = track.zfill(6)
        if track != "10" and id not in missing:
            sound(folder / f"fma_small/{id[:3]}/{id}.mp3", tone(pitch=300 + 40 * number))


def genre_folders(folder: Path, files: int = 3) -> None:
    """A folder for each of three genres, of which one is known to nobody."""
    for genre in ("Hip Hop", "rock", "zydeco"):
        for number in range(files):
            sound(folder / genre / f"song {number}.flac", tone(pitch=250 + 60 * number))
    (folder / "rock/cover.jpg").write_bytes(b"no sound")


def labelled_genres(folder: Path, rows: Mapping[str, str] = {"a.wav": "rock", "b.flac": "jazz"}) -> None:
    """Sound files with a ``labels.csv`` that has a column ``genre``."""
    for number, file in enumerate(rows):
        sound(folder / file, tone(pitch=350 + 30 * number))
    lines = ["file,genre,split,artist", *(f"{file},{genre},test,Nobody" for file, genre in rows.items())]
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")


def mels(folder: Path, tracks: Iterable[str] = TRACKS, descriptors: bool = False) -> None:
    """Precomputed features of a few recordings; what is not GTZAN's is rock, to test on."""
    names = list(tracks)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    np.savez(
        folder / "logmel.npz",
        idx=rng.integers(0, 256, (len(names), GRID.bands, COLUMNS)).astype(np.uint8),
        track_id=np.array(names),
        range_db=np.linspace(60, 80, len(names)).astype(np.float32),
        max_db=np.linspace(20, 40, len(names)).astype(np.float32),
    )
    lines = ["track_id,genre,split,artist,title"]
    lines += [f"{name},{name.partition('.')[0] if '.' in name else 'rock'},test,Somebody,Song" for name in names]
    (folder / "index.csv").write_text("\n".join(lines) + "\n")
    if descriptors:
        rows = [f"{name},661794,{number}.5,-1e6,rock" for number, name in enumerate(names)]
        (folder / "features_30s.csv").write_text("\n".join(["track_id,length,tempo,rolloff_var,genre", *rows]) + "\n")
