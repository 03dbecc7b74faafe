"""A composed clip as files."""

import json
from pathlib import Path

from core.audio import write_wav
from core.synthesis.clip import Clip
from core.synthesis.midi import score_to_midi
from core.taxonomy.instruments import INSTRUMENTS


def write_clip(clip: Clip, folder: Path) -> None:
    """Writes ``mix.wav``, ``stems/<instrument>.wav``, ``score.mid`` and ``clip.json`` into a folder that exists.

    The sounds are 16-bit and keep their levels, so the stems add up to the mix but for rounding. Stems of another clip
    that was written there before are deleted, other files are left alone.
    """
    stems = folder / "stems"
    stems.mkdir(exist_ok=True)
    for label in INSTRUMENTS.keys() - clip.stems.keys():
        (stems / f"{label}.wav").unlink(missing_ok=True)
    for label, stem in clip.stem_audio.items():
        write_wav(stems / f"{label}.wav", stem)
    write_wav(folder / "mix.wav", clip.audio)
    score_to_midi(clip.score, clip.programs).save(folder / "score.mid")
    (folder / "clip.json").write_text(json.dumps(clip.to_dict(), indent=2) + "\n", encoding="utf-8")
