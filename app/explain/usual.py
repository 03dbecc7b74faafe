"""Parts of the Explain page that stand on the atlas: how usual the concepts of a clip are, and what feeds one."""

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
from app.frame.view import show
from core.concepts.atlas import Atlas, Concept
from core.concepts.naming import EVIDENCE
from core.concepts.prototypes import Deviation, Typicality
from core.inference import Prediction

UNUSUAL, COMMON = 0.05, 0.25  # shares of the reference clips below which a use of concepts is unusual, and above usual
DEVIATIONS = 3  # of each kind that are shown
FACTORS = 4  # of a concept that are shown beside its flow
USUAL_HELP = (
    "In many composed clips in which the network recognised this instrument rightly, the atlas keeps by which concepts "
    "it did (prototypes as in PCX, Dreyer et al. 2024). Here this clip's concepts are held against them. An unusual "
    "way of recognising an instrument is wrong more often: a reason to look and listen twice. It says little, though, "
    "that the probability does not say already."
)
FLOW_HELP = (
    "The relevance that passes through this concept, followed down to the two layers below, on this clip: the thicker "
    "a line, the more comes from there. Percentages are shares of what passes through the first concept, which can sum "
    "to more than 100 %: orange adds to it, blue takes away. Click on a concept to go there."
)


def open_in_atlas(layer: str, channel: int, label: str = "Atlas", key: str = "atlas") -> None:
    """A button that leads to a concept's page."""
    if st.button(
        label, key=f"{key}-{channel}", icon=":material/map:", type="tertiary", help="What this concept is in general"
    ):
        show(layer=layer, concept=channel)
        st.switch_page(navigation.page("atlas"))


def flow_panel(passage: Passage, label: str, layer: str, channel: int) -> None:
    """The opened concept: what feeds it on this clip, and what it is in general."""
    here, general = st.columns([1.6, 1], gap="medium")
    with here, st.container(border=True):
        st.subheader(f"What feeds concept {channel} here", help=FLOW_HELP)
        _tree(passage, label, layer, channel)
    known = atlases.concept(passage.model, layer, channel)
    with general, st.container(border=True):
        st.subheader("What it is in general")
        if known is None:
            st.caption(atlases.how_to_make(passage.model))
            return
        st.markdown(named(known))
        st.html(bars.score_bars(measured(strongest(known)[:FACTORS]), EVIDENCE))
        open_in_atlas(layer, channel, "Open in the atlas", key="to-atlas")


def _tree(passage: Passage, label: str, layer: str, channel: int) -> None:
    root = explanations.feeding(passage, label, layer, channel)
    if not root.feeders:
        st.caption("It is in the first layer: nothing but the sound itself feeds it.")
        return
    key = f"flow-{label}-{layer}-{channel}"

    def clicked() -> None:
        points = st.session_state[key].selection.points
        if points:
            below, number = points[0]["customdata"]
            show(layer=below, concept=number)

    def known(layer: str, channel: int) -> Concept | None:
        return atlases.concept(passage.model, layer, channel)

    tree = flow_tree(
        root,
        lambda layer, channel: found.name if (found := known(layer, channel)) else "",
        lambda layer, channel: kind(found) if (found := known(layer, channel)) else MIXED,
    )
    st.plotly_chart(tree, config=CONFIG, key=key, on_select=clicked, selection_mode="points")


def usual_panel(passage: Passage, prediction: Prediction, label: str) -> None:
    """Whether the label is explained by the concepts by which it usually is."""
    st.subheader("Which concepts are usual?", help=USUAL_HELP)
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
    words, *columns = st.columns([1.5, 1, 1], gap="medium")
    with words:
        st.markdown(sentence(typical, label, len(usual.likelihoods)))
        if label not in prediction.detected:
            st.caption(f"The network did not report {title(label).lower()} here; the clips are those in which it did.")
        _deviations(found, usual.layer, typical.more, "Speak for it more than usual")
        _deviations(found, usual.layer, typical.less, "Speak for it less than usual, or against it")
    clips = {"A usual clip": usual.components[typical.prototype].typical, "An unusual clip": usual.unusual}
    for column, (heading, names) in zip(columns, clips.items(), strict=True):
        if names:
            with column, st.container(border=True):
                _clip(passage.model, label, heading, names[0])


def sentence(typical: Typicality, label: str, clips: int) -> str:
    """How usual the use of concepts is, in words."""
    share, name = typical.percentile, title(label).lower()
    so_many = f"{share:.0%} are" if share else "none is"
    told = f"of {clips} reference clips in which {name} was recognised rightly, {so_many} as unusual or more so"
    if share < UNUSUAL:
        return (
            f":material/warning: **Unusual: look twice.** Hardly any clip with {name} is recognised by such concepts: "
            f"{told}."
        )
    if share < COMMON:
        return f":material/info: **Somewhat unusual.** This clip uses its concepts as few do: {told}."
    return f":material/check_circle: **Usual.** This clip uses its concepts as others with {name} do: {told}."


def _deviations(found: Atlas, layer: str, deviations: Sequence[Deviation], heading: str) -> None:
    if not deviations:
        return
    with st.container(gap=None):
        st.caption(f"{heading} ({layer})")
        for one in deviations[:DEVIATIONS]:
            concept = found.concept(layer, one.channel)
            shares = f":gray[· {one.share:.1%} instead of {one.usual:.1%}]".replace("-", "−")
            navigation.concept_link(concept, f"{named(concept)} {shares}", place="deviates")


def _clip(model: str, label: str, heading: str, clip: str) -> None:
    example = explanations.label_example(model, label, clip)
    example_card(key=f"usual-{heading}", example=example, caption=heading, detail=clip)
    if st.button("Explain this clip", key=f"explain-{heading}", type="tertiary"):
        show(clip=clip, instrument=label, concept=None, start=None)
        st.rerun()
