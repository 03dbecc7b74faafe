"""Parts of the Listen page: the player, what the model hears, what really plays, downloads."""

import io
import json
from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from app.components.downloads import download, download_sound
from app.components.player import Track, player
from app.figures import charts as figures
from app.figures.colors import NEUTRAL, color, named, title
from app.figures.thumbnails import thumbnail
from app.frame import navigation
from app.frame.hearing import model, on_screen, spectrogram
from app.frame.passages import analysed, notes_of, passage_of, relevance
from app.frame.sounds import Sound
from app.frame.view import View, turn_to
from core.inference import WINDOW_S, Prediction
from core.pictures import Axis, spectrogram_picture
from core.synthesis.clip import Clip
from core.synthesis.midi import score_to_midi

SHOWN = 7  # bars and ribbons at first
EVIDENCE = 4  # labels whose evidence is shown at a glance; the others that are heard have a button alone
REVEAL = "reveal"


def sound_player(view: View, sound: Sound, revealed: bool) -> None:
    """The sound with its spectrogram; with the truth revealed, a mixer of its stems."""
    picture = spectrogram(sound, view.model)
    if revealed and sound.clip:
        tracks = [Track(title(name), stem, color(name)) for name, stem in sound.stems.items()]
    else:
        tracks = [Track("Mix", sound, NEUTRAL)]
    player(
        key="listen",
        tracks=tracks,
        spectrogram=on_screen(picture.logmel, picture),
        duration=sound.duration,
        band_hz=model(view.model).frontend.band_hz,
        notes=notes_of(sound.clip, 0.0, sound.duration) if revealed and sound.clip else (),
        mode="mixer" if revealed and sound.clip else "switch",
        height=210,
        title="" if sound.composed else sound.name,
        label="The whole sound",
    )
    if sound.remark:
        st.caption(sound.remark)


def is_revealed(sound: Sound) -> bool:
    """Whether the truth is shown; only a composed clip has one."""
    return bool(sound.clip and st.session_state.get(REVEAL))


def reveal_toggle(sound: Sound) -> None:
    """Shows or hides the truth, where there is one."""
    if sound.clip:
        st.toggle(
            "Reveal the truth",
            key=REVEAL,
            persist_state="session",
            help="The app played this itself, so it knows who plays: see the notes and hear each instrument alone.",
        )


def detected_sentence(prediction: Prediction) -> None:
    """The answer in one line."""
    if not prediction.detected:
        st.markdown(f"The network is **not sure of any {prediction.space.noun}** here.")
        return
    st.markdown(f"{prediction.task.says}: {named(prediction.detected)}.", unsafe_allow_html=True)


def evidence(view: View, sound: Sound, prediction: Prediction) -> None:
    """Where in the sound the evidence for the likeliest labels lies, and a button that explains each that is heard."""
    labels = prediction.detected or prediction.ranking[:EVIDENCE]
    with st.container(key="cards-evidence"):
        columns = st.columns(EVIDENCE)
    for column, label in zip(columns, labels, strict=False):
        passage = passage_of(sound, view.model, label, None)
        values, logmel = relevance(passage, label).values, analysed(passage).logmel
        with column, st.container(border=True, gap="small"):
            st.image(thumbnail(logmel, values), width="stretch", alt=f"Evidence for {title(label)}")
            _why(label, width="stretch")
    if labels[EVIDENCE:]:
        with st.container(horizontal=True, key="further-whys"):
            for label in labels[EVIDENCE:]:
                _why(label)


def _why(label: str, width: Literal["stretch", "content"] = "content") -> None:
    """A button that explains a label."""
    if st.button(
        f"Why {title(label).lower()}?",
        key=f"why-{label}",
        width=width,
        help=f"Where the network found its evidence, in the {WINDOW_S:g} seconds in which it is surest.",
    ):
        turn_to(instrument=label, start=None)
        st.switch_page(navigation.page("explain"))


def bars(prediction: Prediction, sound: Sound, revealed: bool) -> None:
    """Probabilities of the likeliest labels, or of all."""
    everything = st.toggle(f"All {prediction.space.plural}", key="all-instruments", persist_state="session")
    truth = prediction.task.truth(sound.clip.labels) if revealed and sound.clip else None
    labels = prediction.ranking if everything else _worth_showing(prediction, truth)
    said = ", ".join(
        f"{title(label)} {prediction.probabilities[prediction.labels.index(label)]:.0%}" for label in labels
    )
    chart = figures.probability_bars(prediction, labels, truth)
    st.plotly_chart(chart, config=figures.CONFIG, key="bars", alt=f"Bars of how sure the network is. {said}.")


def ribbons(prediction: Prediction, sound: Sound, revealed: bool) -> None:
    """The probabilities of the likeliest labels over time; revealed, over the notes that instruments really play."""
    score = sound.clip.score if revealed and sound.clip else None
    truth = prediction.task.truth(sound.clip.labels) if revealed and sound.clip else None
    labels = _worth_showing(prediction, truth)
    said = f"How sure the network is over the {prediction.duration:.0f} seconds of the sound, a ribbon for each of "
    notes = "; below each ribbon its true notes" if score else ""
    said += f"{', '.join(title(label).lower() for label in labels)}{notes}."
    st.plotly_chart(figures.timeline(prediction, labels, score), config=figures.CONFIG, key="timeline", alt=said)


def _worth_showing(prediction: Prediction, truth: Sequence[str] | None) -> list[str]:
    """All labels that were detected or are true, and then the likeliest others."""
    must = {*prediction.detected, *(truth or ())} & set(prediction.labels)
    others = [label for label in prediction.ranking if label not in must][: max(0, SHOWN - len(must))]
    return [label for label in prediction.ranking if label in must or label in others]


def truth_panel(clip: Clip) -> None:
    """The notes that really sound."""
    st.subheader("The truth", help="The notes that the app played.")
    st.markdown(f"Really playing: {named(clip.labels)}.", unsafe_allow_html=True)
    counts = ", ".join(f"{len(notes)} of {title(label).lower()}" for label, notes in clip.score.parts.items())
    said = f"The notes that really sound, by time and pitch: {counts}."
    st.plotly_chart(figures.piano_roll(clip.score), config=figures.CONFIG, key="piano-roll", alt=said)


def export(sound: Sound, prediction: Prediction) -> None:
    """Everything on the page as files."""
    name = "clip" if sound.composed else sound.name.rsplit(".", 1)[0]
    with st.popover("Export", icon=":material/download:"):
        download_sound("Sound", lambda: sound, name)
        download("Spectrogram (PNG)", lambda: _picture(sound, prediction.model), f"{name}.png")
        download("Prediction (JSON)", lambda: json.dumps(prediction.to_dict(sound.name), indent=2), f"{name}.json")
        download("Timeline (CSV)", lambda: _timeline_csv(prediction), f"{name}-timeline.csv")
        if sound.composed and (clip := sound.clip):
            download("Score (MIDI)", lambda: _midi(clip), f"{name}.mid")


def _picture(sound: Sound, model_name: str) -> bytes:
    heard, frontend = spectrogram(sound, model_name), model(model_name).frontend
    axis = Axis(frontend.frame_times(heard.frames), frontend.band_hz)
    return spectrogram_picture(heard.logmel, axis, "The mix" if sound.clip else sound.name)


def _timeline_csv(prediction: Prediction) -> str:
    table = pd.DataFrame(np.asarray(prediction.timeline).round(5), columns=list(prediction.labels))
    table.insert(0, "time_s", np.asarray(prediction.times).round(3))
    return str(table.to_csv(index=False))


def _midi(clip: Clip) -> bytes:
    buffer = io.BytesIO()
    score_to_midi(clip.score, clip.programs).save(file=buffer)
    return buffer.getvalue()
