"""The part of the Experiments page about pairs of networks that differ in one thing: what that changes."""

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


def contrasts() -> None:
    """For each contrast what was found in words, and the figures of one pair of models."""
    found = read_experiments(TRAINED_MODELS)
    if not found or not found.questions:
        st.info("Whether depth and richer data matter is not known yet: `timbrescope report` compares trained models.")
        return
    for key, contrast in found.questions.items():
        with st.container(border=True):
            st.subheader(contrast.title)
            st.caption(f"Pairs of networks that differ in this alone, on the same {len(found.clips)} composed clips.")
            st.markdown(contrast.summary)
            _pair(key, contrast)


def _pair(key: str, contrast: ContrastResult) -> None:
    cases = list(contrast.pairs)
    case = st.segmented_control(
        "Pair", cases, default=cases[0], required=True, key=f"pair-{key}", label_visibility="collapsed"
    )
    pair = contrast.pairs[case or cases[0]]
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
    export(f"question {key}", as_json=lambda: contrast.model_dump_json(indent=1))


def places_figure(places: Mapping[str, PlaceShares], names: tuple[str, str]) -> go.Figure:
    """Shares of the evidence of two models at each place, and of the sound's energy."""
    sides = {names[0]: "a", names[1]: "b", "energy of the mix": "energy"}
    series = {
        name: {PLACES[place]: getattr(shares, side) for place, shares in places.items()} for name, side in sides.items()
    }
    return figures.rows(series, list(PLACES.values()), {**colors(), "energy of the mix": NEUTRAL})
