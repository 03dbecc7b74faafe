"""Parts of the Compare page: several models on the same passage."""

from collections.abc import Iterable, Mapping
from itertools import combinations

import numpy as np
import pandas as pd
import streamlit as st

from app.compare import inside
from app.components import alerts
from app.components.downloads import download
from app.components.player import Overlay, Track, player
from app.figures import charts as figures
from app.figures.colors import NEUTRAL, color, legend, model_colors, title
from app.frame.hearing import model, on_screen
from app.frame.models import model_title
from app.frame.passages import analysed, passage_of, picture, relevance, split, truth
from app.frame.sounds import Sound
from app.frame.view import View, choose, listed, show
from core.comparison import similarity
from core.comparison.observe import coarse
from core.comparison.place import PLACES
from core.explanation.playback import Passage
from core.inference import Prediction
from core.models.store import model_names
from core.synthesis.clip import Clip

SHOWN = 8
MAX_MODELS = 4  # models side by side
BAR = 160  # pixels
ENERGY = "energy of the mix"


def models_choice(view: View) -> list[str]:
    """The models to compare."""
    names = model_names()
    named = listed(view.models, names) or names[:2]
    if len(named) > MAX_MODELS:
        alerts.info(
            f"At most {MAX_MODELS} models are compared at once: these are the first {MAX_MODELS} that the link names."
        )
    chosen, key = named[:MAX_MODELS], "compare-models"
    st.session_state[key] = chosen

    def changed() -> None:
        show(models=",".join(st.session_state[key]) or None)

    st.multiselect(
        "Models",
        names,
        key=key,
        on_change=changed,
        max_selections=MAX_MODELS,
        format_func=model_title,
        wrap=True,
    )
    return chosen


def instrument_choice(view: View, predictions: list[Prediction]) -> str:
    """Lets the user choose the instrument whose evidence is compared."""
    labels = list(dict.fromkeys(label for prediction in predictions for label in prediction.ranking))
    value = view.instrument if view.instrument in labels else labels[0]
    return choose(st.selectbox, "instrument", "Instrument", value, options=labels, format_func=title)


def prediction_bars(predictions: list[Prediction]) -> None:
    """All instruments that a model detected, and then those that the models find likeliest."""
    detected = dict.fromkeys(label for prediction in predictions for label in prediction.detected)
    likely = dict.fromkeys(
        label for rank in zip(*(p.ranking[:SHOWN] for p in predictions), strict=False) for label in rank
    )
    labels, shades = list({**detected, **likely})[:SHOWN], _shades()
    by_title = {model_title(prediction.model): prediction for prediction in predictions}
    _legend(shades, by_title)
    said = (
        f"Bars of how sure {' and '.join(by_title)} are of each instrument: "
        f"{', '.join(title(label).lower() for label in labels)}."
    )
    chart = figures.model_bars(by_title, labels, shades)
    st.plotly_chart(chart, config=figures.CONFIG, key="models", alt=said)


def _shades() -> dict[str, str]:
    """A colour for each model, by title."""
    return {model_title(name): shade for name, shade in model_colors(model_names()).items()}


def _legend(shades: Mapping[str, str], names: Iterable[str]) -> None:
    st.markdown(legend({name: shades[name] for name in names}), unsafe_allow_html=True)


def passages(view: View, sound: Sound, models: list[str], label: str) -> list[Passage]:
    """The same passage for every model that knows the label: the one in which the first of them is surest."""
    knowing = [name for name in models if label in model(name).labels]
    if not knowing:
        return []
    first = passage_of(sound, knowing[0], label, view.start)
    return [passage_of(sound, name, label, first.start) for name in knowing]


def maps(passages: list[Passage], label: str) -> None:
    """The label's relevance in each model, side by side; the players, of what each model points at, are linked."""
    for column, passage in zip(st.columns(len(passages)), passages, strict=True):
        map, heard = relevance(passage, label), analysed(passage)
        parts = split(passage, map)
        with column:
            player(
                key=f"compare-{passage.model}",
                tracks=[
                    Track("Mix", heard.audio, NEUTRAL),
                    Track("Only this", parts.kept, color(label)),
                ],
                spectrogram=on_screen(heard.logmel, heard),
                duration=heard.duration,
                offset=passage.start,
                band_hz=model(passage.model).frontend.band_hz,
                overlay=Overlay(f"evidence for {title(label).lower()}", on_screen(map.values, heard)),
                height=200,
                title=model_title(passage.model),
                group="compare",
            )
            st.caption(_verdict(passage, label))


def _verdict(passage: Passage, label: str) -> str:
    map = relevance(passage, label)
    text = f"Logit {map.logit:+.2f}"
    if label not in passage.stems:
        return text
    return f"{text} · {truth(passage, map)['rma']:.0%} of the evidence where this instrument is truly the loudest"


def agreement(predictions: list[Prediction], passages: list[Passage], label: str) -> pd.DataFrame:
    """For each pair of models: how alike their answers are, and their maps and last layers in the passage."""
    by_model = {passage.model: passage for passage in passages}
    rows = []
    for a, b in combinations(predictions, 2):
        maps, layers = _inside(by_model.get(a.model), by_model.get(b.model), label)
        kappa, order = _answers(a, b)
        rows.append(
            {
                "Models": f"{model_title(a.model)} / {model_title(b.model)}",
                "Same answers (kappa)": kappa,
                "Same order (Spearman)": order,
                "Alike maps (Pearson)": maps,
                "Alike last layers (CKA)": layers,
            }
        )
    return pd.DataFrame(rows)


def agreement_table(table: pd.DataFrame) -> None:
    """The agreement of every pair as bars, with a column a pair: two models are common, and a phone is narrow."""
    if table.empty:
        st.caption("Choose a second model to compare it with this one.")
        return
    pairs = table.set_index("Models").T
    bar = st.column_config.ProgressColumn(format="%.2f", min_value=0, max_value=1, width=BAR)
    st.dataframe(pairs, column_config=dict.fromkeys(pairs.columns, bar))


def places(passages: list[Passage], label: str, clip: Clip | None) -> None:
    """Where each model's evidence lies, beside the energy of the sound."""
    shares = {model_title(passage.model): inside.places(passage, label, clip)[0] for passage in passages}
    energy = inside.places(passages[0], label, clip)[1]
    there = [place for place in PLACES if not np.isnan(energy.get(place, np.nan))]
    series = {
        name: {PLACES[place].capitalize(): found[place] for place in there}
        for name, found in {**shares, ENERGY: energy}.items()
    }
    rows = [PLACES[place].capitalize() for place in there]
    shades = {**_shades(), ENERGY: NEUTRAL}
    _legend(shades, series)
    said = (
        f"Bars of how much of the evidence for {title(label).lower()} in each model, and of the {ENERGY}, lies at each "
        f"place: {', '.join(rows).lower()}."
    )
    chart = figures.grouped_bars(series, rows, shades)
    st.plotly_chart(chart, config=figures.CONFIG, key="places", alt=said)


def export(predictions: list[Prediction], passages: list[Passage], label: str, agreement: pd.DataFrame) -> None:
    """Everything on the page as files."""
    with st.popover("Export", icon=":material/download:"):
        download("Predictions (CSV)", lambda: _predictions_csv(predictions), "predictions.csv")
        download("Agreement (JSON)", lambda: str(agreement.to_json(orient="records", indent=2)), "agreement.json")
        for passage in passages:
            _download_picture(passage, label)


def _download_picture(passage: Passage, label: str) -> None:
    map = relevance(passage, label)
    name = f"{label}-{passage.model}"
    download(f"Map of {model_title(passage.model)} (PNG)", lambda: picture(passage, map), f"{name}.png")


def _predictions_csv(predictions: list[Prediction]) -> str:
    columns = {p.model: pd.Series(p.probabilities, index=list(p.labels)) for p in predictions}
    return str(pd.DataFrame(columns).rename_axis("instrument").to_csv())


def _answers(a: Prediction, b: Prediction) -> tuple[float, float]:
    """Cohen's kappa of the decisions, and Spearman's correlation of the logits, over the labels that both know."""
    common = [label for label in a.labels if label in b.labels]
    index = [[p.labels.index(label) for label in common] for p in (a, b)]
    said = [p.decided[chosen] for p, chosen in zip((a, b), index, strict=True)]
    order = similarity.rank_correlation(a.logits[index[0]], b.logits[index[1]])
    return float(similarity.kappa(similarity.decision_counts(*said))), order


def _inside(a: Passage | None, b: Passage | None, label: str) -> tuple[float | None, float | None]:
    """Pearson's correlation of the maps, and linear CKA of the last layers with a sample a cell; where both know it."""
    if a is None or b is None:
        return None, None
    maps = [coarse(relevance(passage, label).values) for passage in (a, b)]
    layers = [{"last": similarity.gram(inside.last_layer(passage))} for passage in (a, b)]
    return similarity.correlation(*maps), float(similarity.linear_cka(*layers)[0, 0])
