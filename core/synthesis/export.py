"""A composed clip as files."""

import json
from pathlib import Path

from core.audio import write_wav
from core.records import write_whole
from core.synthesis.clip import Clip
from core.synthesis.midi import score_to_midi
from core.taxonomy.instruments import INSTRUMENTS


def write_clip(clip: Clip, folder: Path) -> None:
    """Writes ``mix.wav``, ``stems/<instrument>.wav``, ``score.mid`` and ``clip.json`` into a folder.

    The sounds are 16-bit and keep their levels, so the stems add up to the mix up to rounding. Stems that an earlier
    clip left in the folder are deleted; other files are kept.

    Raises:
        InputError: the folder cannot be written to, or the disk is full.
    """
    stems = folder / "stems"
    for label in INSTRUMENTS.keys() - clip.stems.keys():
        (stems / f"{label}.wav").unlink(missing_ok=True)
    for label, stem in clip.stem_audio.items():
        write_wav(stems / f"{label}.wav", stem)
    write_wav(folder / "mix.wav", clip.audio)
    midi, about = score_to_midi(clip.score, clip.programs), json.dumps(clip.to_dict(), indent=2) + "\n"
    write_whole(folder / "score.mid", lambda file: midi.save(file=file))
    write_whole(folder / "clip.json", lambda file: file.write(about.encode()))
