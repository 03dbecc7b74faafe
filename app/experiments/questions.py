"""The part of the Experiments page about two networks that differ in one thing: what that changes inside them."""

from collections.abc import Mapping

import plotly.graph_objects as go
import streamlit as st

from app.components.downloads import export
from app.experiments.panels import chart, colors, legend
from app.figures import intervals as figures
from app.figures.colors import NEUTRAL
from core.comparison.place import PLACES
from core.comparison.records import ContrastResult, PlaceShares, read_experiments
from core.paths import TRAINED_MODELS

CKA_HELP = (
    "CKA (centred kernel alignment, Kornblith et al. 2019) is 1 where two layers arrange the clips alike up to "
    "rotation and scale, and about 0 where they have nothing in common."
)
AGREEMENT = {
    "equal": "equal answers",
    "kappa": "Cohen's kappa",
    "logits": "ranking (Spearman)",
    "maps": "maps (Pearson)",
}


def answers() -> None:
    """The research questions: what was found in words, and the figures of one pair of models."""
    found = read_experiments(TRAINED_MODELS)
    if not found or not found.questions:
        st.info("The questions are answered by `timbrescope report`, once both models of a pair are trained.")
        return
    for key, question in found.questions.items():
        with st.container(border=True):
            st.subheader(question.title)
            st.caption(f"Pairs of networks that differ in that alone, on the same {len(found.clips)} composed clips.")
            st.markdown(question.summary)
            _pair(key, question)


def _pair(key: str, question: ContrastResult) -> None:
    cases = list(question.pairs)
    case = st.segmented_control(
        "Pair", cases, default=cases[0], required=True, key=f"pair-{key}", label_visibility="collapsed"
    )
    pair = question.pairs[case or cases[0]]
    first, second = pair.models
    legend([first, second])
    alike, inside, where = st.columns([1, 1.2, 1.2], gap="medium")
    with alike:
        st.caption("How alike their answers and maps are")
        alike_in = {**dict(pair.agreement), "maps": pair.maps.all}
        agreed = {"both": {AGREEMENT[name]: figure for name, figure in alike_in.items()}}
        chart(f"agreement-{key}", figures.rows(agreed, list(AGREEMENT.values()), {"both": NEUTRAL}, percent=False))
    with inside:
        st.caption("How alike their layers are (CKA)", help=CKA_HELP)
        values = [[cell.value for cell in row] for row in pair.layers.cka]
        layers = (pair.layers.rows, pair.layers.columns)
        chart(f"cka-{key}", figures.heatmap(values, *layers, (first, second), percent=False))
    with where:
        st.caption("Where their evidence lies (grey: the energy of the mix)")
        chart(f"places-{key}", places_figure(pair.places, (first, second)))
    export(f"question {key}", as_json=lambda: question.model_dump_json(indent=1))


def places_figure(places: Mapping[str, PlaceShares], names: tuple[str, str]) -> go.Figure:
    """Shares of the evidence of two models at each place, and of the sound's energy."""
    sides = {names[0]: "a", names[1]: "b", "energy of the mix": "energy"}
    series = {
        name: {PLACES[place]: getattr(shares, side) for place, shares in places.items()} for name, side in sides.items()
    }
    return figures.rows(series, list(PLACES.values()), {**colors(), "energy of the mix": NEUTRAL})
