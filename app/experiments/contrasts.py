"""The part of the Experiments page about pairs of networks that differ in one thing: what that changes."""

from collections.abc import Callable, Mapping

import plotly.graph_objects as go
import streamlit as st

from app.components.downloads import export
from app.experiments.panels import chart, colors, legend, titled
from app.figures import intervals as figures
from app.figures.colors import MODEL_COLORS, NEUTRAL, inks, seen
from app.figures.colors import legend as color_legend
from core.comparison.place import PLACES
from core.comparison.records import Comparison, ContrastResult, PlaceShares, read_experiments
from core.grading.verdict import NO_DIFFERENCE, Outcome, outcome
from core.paths import TRAINED_MODELS
from core.records import Interval

CKA_HELP = (
    "CKA (centred kernel alignment, Kornblith et al. 2019) is 1 where two layers arrange the clips alike up to "
    "rotation and scale, and about 0 where they have nothing in common."
)
ALIKE_HELP = (
    "1 is full agreement. Equal answers: the share of all cases in which both say that an instrument plays, or both "
    "that it does not. Cohen's kappa: the same, but 0 is agreement by chance. Ranking: Spearman's correlation of how "
    "sure they are of each instrument. Maps: Pearson's correlation of the maps of the instruments that play. Layers: "
    f"{CKA_HELP}"
)
MORE_HELP = (
    "The share of its evidence that the one network puts there, less that of the other. Right of the line it puts "
    "more there. Bars are 95 % bootstrap intervals over clips: a difference is clear where its bar does not touch the "
    "line."
)
AGREEMENT: dict[str, Callable[[Comparison], Interval]] = {
    "equal answers": lambda pair: pair.agreement.equal,
    "Cohen's kappa": lambda pair: pair.agreement.kappa,
    "ranking": lambda pair: pair.agreement.logits,
    "maps": lambda pair: pair.maps.all,
    "first layers": lambda pair: pair.layers.cka[0][0],
    "last layers": lambda pair: pair.layers.cka[-1][-1],
}


def contrasts() -> None:
    """For each contrast what was found, as a picture of all pairs of models and in words, and a closer look at one."""
    found = read_experiments(TRAINED_MODELS)
    if not found or not found.questions:
        st.info("Whether depth and richer data matter is not known yet: `timbrescope report` compares trained models.")
        return
    for key, contrast in found.questions.items():
        with st.container(border=True):
            st.subheader(contrast.title)
            st.caption(f"Pairs of networks that differ in this alone, on the same {len(found.clips)} composed clips.")
            st.markdown(clear_differences(contrast))
            _all_pairs(key, contrast)
            with st.expander("All figures in words"):
                st.markdown(contrast.summary)
            _pair(key, contrast)


def clear_differences(contrast: ContrastResult) -> str:
    """Where the evidence of the second kind of networks clearly differs in every pair, in words."""
    first, second = contrast.kinds
    signs = {
        place: {outcome(pair.places[place].difference, NO_DIFFERENCE) for pair in contrast.pairs.values()}
        for place in PLACES
    }
    more, less = (
        [PLACES[place] for place, found in signs.items() if found == {sign}] for sign in (Outcome.BETTER, Outcome.WORSE)
    )
    said = [f"{word} on {', '.join(places)}" for word, places in (("more", more), ("less", less)) if places]
    every = "In every pair" if len(contrast.pairs) > 1 else "In the one pair that was measured"
    if not said:
        return f"{every}, no difference between {first} and {second} networks is clear."
    return f"{every}, the {second} network puts clearly **{' and '.join(said)}** than the {first} one."


def _all_pairs(key: str, contrast: ContrastResult) -> None:
    shades = dict(zip(contrast.pairs, map(seen, MODEL_COLORS), strict=False))
    st.html(color_legend(shades))
    alike, more = st.columns(2, gap="medium")
    with alike:
        st.caption("How alike they are", help=ALIKE_HELP)
        series = {
            case: {words: taken(pair) for words, taken in AGREEMENT.items()} for case, pair in contrast.pairs.items()
        }
        said = f"{', '.join(AGREEMENT)}: a dot with its interval for each of {'; '.join(series)}."
        chart(f"alike-{key}", figures.rows(series, list(AGREEMENT), shades, percent=False), said)
    with more:
        st.caption(f"How much more of its evidence the {contrast.kinds[1]} network puts on …", help=MORE_HELP)
        said = (
            f"How many points more of its evidence the {contrast.kinds[1]} network puts on each place, for each pair."
        )
        chart(f"more-{key}", differences_figure(contrast, shades), said)


def differences_figure(contrast: ContrastResult, shades: Mapping[str, str]) -> go.Figure:
    """By how many points the shares of evidence differ at each place, for each pair."""
    series = {
        case: {PLACES[p]: shares.difference for p, shares in pair.places.items()}
        for case, pair in contrast.pairs.items()
    }
    drawn = figures.rows(series, list(PLACES.values()), shades)
    drawn.add_vline(x=0, line={"color": inks().text, "width": 1, "dash": "dot"})
    return drawn.update_xaxes(tickformat="+.0%")


def _pair(key: str, contrast: ContrastResult) -> None:
    cases = list(contrast.pairs)
    case = st.segmented_control("A closer look at", cases, default=cases[0], required=True, key=f"pair-{key}")
    pair = contrast.pairs[case or cases[0]]
    first, second = pair.models
    legend([first, second])
    inside, where = st.columns(2, gap="medium")
    with inside:
        st.caption("How alike their layers are (CKA)", help=CKA_HELP)
        values = [[cell.value for cell in row] for row in pair.layers.cka]
        layers = (pair.layers.rows, pair.layers.columns)
        named = (titled(first), titled(second))
        said = f"Table in colours: how alike each layer of {named[0]} (down) is to each of {named[1]} (across), 0 to 1."
        chart(f"cka-{key}", figures.heatmap(values, *layers, named, percent=False), said)
    with where:
        st.caption("Where their evidence lies (grey: the energy of the mix)")
        said = f"Shares of the evidence of {titled(first)} and {titled(second)}, and of the energy, at each place."
        chart(f"places-{key}", places_figure(pair.places, (first, second)), said)
    export(f"question {key}", as_json=lambda: contrast.model_dump_json(indent=1))


def places_figure(places: Mapping[str, PlaceShares], names: tuple[str, str]) -> go.Figure:
    """Shares of the evidence of two models at each place, and of the sound's energy."""
    sides = {titled(names[0]): "a", titled(names[1]): "b", "energy of the mix": "energy"}
    series = {
        name: {PLACES[place]: getattr(shares, side) for place, shares in places.items()} for name, side in sides.items()
    }
    return figures.rows(series, list(PLACES.values()), {**colors(), "energy of the mix": NEUTRAL})
