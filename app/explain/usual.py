"""Parts of the Explain page that need the atlas: how usual the concepts of a clip are, and what feeds a concept."""

from collections.abc import Sequence

import streamlit as st

from app.components.example_card import example_card
from app.explain import explanations
from app.explain.flow_tree import flow_tree
from app.figures import bars
from app.figures.charts import CONFIG
from app.figures.colors import title
from app.figures.concept_words import MIXED, kind, measured, named, strongest
from app.frame import atlases, navigation
from app.frame.passages import Passage
from app.frame.view import show, turn_to
from core.concepts.atlas import Atlas, Concept
from core.concepts.naming import EVIDENCE
from core.concepts.prototypes import Deviation, Typicality
from core.grading.trust import COMMON, UNUSUAL
from core.inference import Prediction

DEVIATIONS = 3  # concepts of each kind that are listed
FACTORS = 4  # of a concept, shown beside its flow
USUAL_HELP = (
    "The atlas knows which concepts the network used in many composed clips in which it recognised this instrument "
    "correctly (prototypes as in PCX, Dreyer et al. 2024). Here this clip's concepts are compared with them. If they "
    "are unusual, the network is wrong more often: look and listen twice. The probability, though, already says most "
    "of this."
)
FLOW_HELP = (
    "Where the relevance of this concept comes from in the two layers below, in this clip: the thicker a line, the "
    "more comes along it. Percentages are shares of the first concept's relevance. Orange adds to it and blue takes "
    "away, so they can sum to more than 100 %. Click on a concept to open it."
)


def open_in_atlas(layer: str, channel: int, label: str = "Atlas", key: str = "atlas") -> None:
    """A button that opens a concept in the atlas."""
    if st.button(
        label,
        key=f"{key}-{channel}",
        icon=":material/map:",
        type="tertiary",
        help="What this concept responds to in general",
    ):
        show(layer=layer, concept=channel, reason=None)
        st.switch_page(navigation.page("atlas"))


def flow_panel(passage: Passage, label: str, layer: str, channel: int) -> None:
    """The opened concept: what feeds it in this clip, and what it is in general."""
    with st.container(border=True):
        st.markdown(f"**What feeds concept {channel} here**", help=FLOW_HELP)
        _tree(passage, label, layer, channel)
    known = atlases.concept(passage.model, layer, channel)
    with st.container(border=True):
        st.markdown("**What it is in general**")
        if known is None:
            st.caption(atlases.how_to_make(passage.model))
            return
        st.markdown(named(known))
        st.html(bars.score_bars(measured(strongest(known)[:FACTORS]), EVIDENCE))
        open_in_atlas(layer, channel, "Open in the atlas", key="to-atlas")


def _tree(passage: Passage, label: str, layer: str, channel: int) -> None:
    root = explanations.feeding(passage, label, layer, channel)
    if not root.feeders:
        st.caption("This concept is in the first layer, so only the sound itself feeds it.")
        return
    key = f"flow-{label}-{layer}-{channel}"

    def clicked() -> None:
        points = st.session_state[key].selection.points
        if points:
            below, number = points[0]["customdata"]
            show(layer=below, concept=number, reason=None)

    def known(layer: str, channel: int) -> Concept | None:
        return atlases.concept(passage.model, layer, channel)

    tree = flow_tree(
        root,
        lambda layer, channel: found.name if (found := known(layer, channel)) else "",
        lambda layer, channel: kind(found) if (found := known(layer, channel)) else MIXED,
    )
    said = (
        f"Tree of the concepts that feed concept {channel} of {layer} most: "
        f"{', '.join(f'concept {feeder.channel} of {feeder.layer}' for feeder in root.feeders)}, and what feeds those."
    )
    st.plotly_chart(tree, config=CONFIG, key=key, on_select=clicked, selection_mode="points", alt=said)


def usual_panel(passage: Passage, prediction: Prediction, label: str) -> None:
    """Whether the concepts that explain the label are those that usually do."""
    st.markdown("**Which concepts are usual?**", help=USUAL_HELP)
    found = atlases.atlas(passage.model)
    if found is None:
        st.caption(atlases.how_to_make(passage.model))
        return
    typical = explanations.usual(passage, label)
    if typical is None:
        st.caption(
            f"{title(label)} was not recognised in enough of the atlas's {found.clips} clips to say what is usual."
        )
        return
    usual = found.prototypes[label]
    st.markdown(sentence(typical, label, len(usual.likelihoods)))
    if label not in prediction.detected:
        st.caption(
            f"The network does not hear {title(label).lower()} here; the reference clips are some in which it does."
        )
    _deviations(found, usual.layer, typical.more, "More important than usual")
    _deviations(found, usual.layer, typical.less, "Less important than usual, or against it")
    columns = st.columns(2, gap="medium")
    clips = {"A usual clip": usual.components[typical.prototype].typical, "An unusual clip": usual.unusual}
    for column, (heading, names) in zip(columns, clips.items(), strict=True):
        if names:
            with column, st.container(border=True):
                _clip(passage.model, label, heading, names[0])


def sentence(typical: Typicality, label: str, clips: int) -> str:
    """How usual the clip's concepts are, in words."""
    share, name = typical.percentile, title(label).lower()
    so_many = f"{share:.0%} are at least as unusual" if share else "none is as unusual"
    compared = f"of {clips} reference clips in which {name} was recognised correctly, {so_many}"
    if share < UNUSUAL:
        return (
            f":material/warning: **Unusual: look twice.** The network hardly ever recognises {name} by these concepts: "
            f"{compared}."
        )
    if share < COMMON:
        return (
            f":material/info: **Somewhat unusual.** The network seldom recognises {name} by these concepts: {compared}."
        )
    return f":material/check_circle: **Usual.** The network often recognises {name} by these concepts: {compared}."


def _deviations(found: Atlas, layer: str, deviations: Sequence[Deviation], heading: str) -> None:
    if not deviations:
        return
    with st.container(gap=None):
        st.caption(f"{heading} ({layer})")
        for one in deviations[:DEVIATIONS]:
            concept = found.concept(layer, one.channel)
            shares = f":gray[· {one.share:.1%} instead of {one.usual:.1%}]".replace("-", "−")
            atlases.concept_link(concept, f"{named(concept)} {shares}", place="deviates")


def _clip(model: str, label: str, heading: str, clip: str) -> None:
    example = explanations.label_example(model, label, clip)
    example_card(key=f"usual-{heading}", example=example, caption=heading, detail=clip)
    st.button(
        "Explain this clip",
        key=f"explain-{heading}",
        type="tertiary",
        on_click=turn_to,
        kwargs={"clip": clip, "instrument": label, "start": None},
    )
