"""Parts of the Atlas page: the map of a layer, the search, and the page of one concept."""

from collections.abc import Iterable
from html import escape

import streamlit as st

from app.components.example_card import example_card
from app.concepts import figures
from app.concepts.examples import example
from app.figures import bars
from app.figures.colors import seen, title
from app.figures.concept_words import (
    KINDS,
    MEASURES,
    answer_title,
    answers_of,
    capital,
    is_meant,
    kind,
    measured,
    named,
    serves,
    strongest,
)
from app.frame import atlases, navigation
from app.frame.models import model_title
from app.frame.view import View, choose, show
from core.concepts.atlas import Atlas, Concept, Factor, Reference
from core.concepts.naming import EVIDENCE
from core.concepts.questions import REGISTERS
from core.models.store import model_names
from core.taxonomy.instruments import FAMILIES, INSTRUMENTS

LISTED = 40  # concepts that the list shows at once
COLUMNS = 4  # examples side by side
STRONGEST = 11  # factors, and labels, that are shown
ANY = ""
CURVES = {
    "instrument": ("Instruments", INSTRUMENTS),
    "family": ("Families", FAMILIES),
    "register": ("Registers", REGISTERS),
}
USAGE_HELP = (
    "How much of each instrument's evidence passes through this concept, as a mean share of the layer's evidence. The "
    "mark is the share of an average concept."
)
SCORES_HELP = (
    f"Measured with single notes, chords, noise and other test sounds. {MEASURES['AUC']} Orange: above chance. Blue: "
    f"below. From {EVIDENCE:.1f} on, a property becomes a part of the concept's name; weaker ones are fainter."
)
NEAR_HELP = (
    "Concepts that the network uses in the same clips. The number is the correlation of their shares of the evidence, "
    "at most 1."
)
EXAMPLES_HELP = (
    "Composed clips, in warm colours where the concept responds. The frame marks where it responds most. “Patch” plays "
    "that part alone, with everything that the concept does not respond to turned far down."
)


def no_atlas(model: str) -> None:
    """Says how to make an atlas, and which models have one."""
    others = [f"“{model_title(name)}”" for name in model_names() if atlases.has_atlas(name)]
    st.info(atlases.how_to_make(model) + (f" Models that have one: {', '.join(others)}." if others else ""))


def search_fields(view: View, concepts: tuple[Concept, ...]) -> list[Concept]:
    """Lets the user search, and returns the concepts that were found, the most used first."""
    text, answer, label = st.columns([1.4, 1, 1])
    known, labels = answers_of(concepts), [label for label in INSTRUMENTS if label in concepts[0].usage]
    with text:
        search = choose(
            st.text_input, "search", "Search", view.search or "", placeholder="a word of its name, or its number"
        )
    with answer:
        asked = choose(
            st.selectbox, "answers", "Responds to", view.answers if view.answers in known else ANY,
            options=[ANY, *known], format_func=lambda name: answer_title(name) if name else "anything",
            help=f"Sounds that its activation tells from other test sounds with an AUC of {EVIDENCE:.1f} or more.",
        )  # fmt: skip
    with label:
        served = choose(
            st.selectbox, "serves", "Needed for", view.serves if view.serves in labels else ANY,
            options=[ANY, *labels], format_func=lambda name: title(name) if name else "any instrument",
            help="Carries more of this instrument's evidence than an average concept of the layer.",
        )  # fmt: skip
    found = [concept for concept in concepts if is_meant(concept, search, asked, served)]
    return sorted(found, key=lambda concept: -(concept.usage.get(served, 0.0) if served else serves(concept)[1]))


def overview(view: View, atlas: Atlas) -> None:
    """All concepts of the layer, as a map and as a list."""
    concepts = atlas.layer(str(view.layer))
    found = search_fields(view, concepts)
    picture, names = st.columns([2, 1], gap="medium")
    with picture, st.container(border=True):
        st.html(figures.kinds_legend(concepts))
        layer_map(concepts, {concept.channel for concept in found}, key=f"map-{view.layer}")
        st.caption(
            "Concepts that the network uses together lie near each other. The larger a mark, the more some instrument "
            "needs the concept. Click on one to open it; drag the map, or zoom with + and −."
        )
    with names:
        some = "" if len(found) <= LISTED else f"; the {LISTED} most used are listed"
        st.caption(f"{len(found)} of {len(concepts)} concepts{some}")
        if not found:
            st.info(
                f"No concept of {view.layer} fits all that was asked for. Leave out a word, or choose another layer."
            )
        with st.container(height=560, gap=None):
            for concept in found[:LISTED]:
                atlases.concept_link(concept, described(concept))
    st.caption(f"Measured on {atlas.clips} composed clips of `{atlas.recipe}`; the names come from test sounds.")


def layer_map(concepts: tuple[Concept, ...], found: set[int], key: str, opened: int | None = None) -> None:
    """The map of a layer; a click opens a concept."""

    def clicked() -> None:
        points = st.session_state[key].selection.points
        if points:
            show(concept=points[0]["customdata"], reason=None)

    chart = figures.concept_map(concepts, found, opened, height=figures.HEIGHT if opened is None else 200)
    said = f"Map of the {len(concepts)} concepts of {concepts[0].layer}: what the network uses together lies together"
    said += f"; {len(found)} are highlighted." if len(found) < len(concepts) else "."
    st.plotly_chart(
        chart, config=figures.CONFIG, key=key, on_select=clicked, selection_mode="points", alt=said
    )  # fmt: skip


def described(concept: Concept) -> str:
    """A concept in one line of Markdown."""
    label, share = serves(concept)
    return f"{named(concept)} :gray[· {title(label).lower()} {share:.1%}]" if label else named(concept)


def concept_page(atlas: Atlas, concept: Concept) -> None:
    """One concept: what it responds to, which instruments need it, which concepts are near, and examples to hear."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.button(
            f"All concepts of {concept.layer}", icon=":material/arrow_back:", key="back",
            on_click=show, kwargs={"concept": None, "reason": None},
        )  # fmt: skip
        if st.button(
            "Try it on my clip", icon=":material/troubleshoot:", type="primary", key="try",
            help="Shows and plays where this concept responds in your sound.",
        ):  # fmt: skip
            show(layer=concept.layer, concept=concept.channel, reason=None)
            st.switch_page(navigation.page("explain"))
    mark = KINDS[kind(concept)]
    st.html(
        f"<h2 style='margin:0;padding:0;font-size:1.35rem'><span style='color:{seen(mark.color)}'>"
        f"{figures.SYMBOLS[mark.symbol]}</span> {escape(capital(concept.name)) or 'Not named'}</h2>"
        f"<small style='opacity:.62'>Concept {concept.channel} of {concept.layer} · "
        f"{escape(model_title(atlas.model))}</small>"
    )
    answers, use, near = st.columns([1.4, 1, 1], gap="medium")
    with answers, st.container(border=True, height="stretch"):
        st.subheader("What it responds to", help=SCORES_HELP)
        scores(concept)
    with use, st.container(border=True, height="stretch"):
        st.subheader("Which instruments need it", help=USAGE_HELP)
        usage(concept, len(atlas.layer(concept.layer)))
    with near, st.container(border=True, height="stretch"):
        st.subheader("Used together with", help=NEAR_HELP)
        neighbours(atlas, concept)
    examples(atlas.model, concept)


def scores(concept: Concept) -> None:
    """The strongest factors, and tuning curves over instruments, families and registers."""
    best = strongest(concept)[:STRONGEST]
    if not best:
        st.caption("Nothing was measured.")
        return
    curves = {words: curve(concept, name, order) for name, (words, order) in CURVES.items()}
    shown = {"Strongest": best, **{words: factors for words, factors in curves.items() if factors}}
    for tab, factors in zip(st.tabs(list(shown)), shown.values(), strict=True):
        with tab:
            st.html(bars.score_bars(measured(factors), EVIDENCE))


def curve(concept: Concept, name: str, order: Iterable[str]) -> list[Factor]:
    """The scores of all single values of a factor, in their order."""
    places = {value: place for place, value in enumerate(order)}
    values = (factor for factor in concept.tuning if factor.factor == name and factor.value in places)
    return sorted(values, key=lambda factor: places[factor.value])


def usage(concept: Concept, channels: int) -> None:
    """The instruments whose evidence passes through a concept."""
    if not concept.usage:
        st.caption("No instrument was recognised in the reference clips.")
        return
    shares = sorted(concept.usage.items(), key=lambda item: -item[1])[:STRONGEST]
    st.html(bars.usage_bars(dict(shares), 1 / channels))


def neighbours(atlas: Atlas, concept: Concept) -> None:
    """The concepts that are used together with this one, on the map and as links."""
    concepts = atlas.layer(concept.layer)
    near = {concept.channel, *(channel for channel, _ in concept.neighbours)}
    layer_map(concepts, near, key=f"near-{concept.layer}-{concept.channel}", opened=concept.channel)
    with st.container(gap=None):
        for channel, similarity in concept.neighbours:
            other = concepts[channel]
            atlases.concept_link(other, f"{named(other)} :gray[· {similarity:.2f}]", place="near")


def examples(model: str, concept: Concept) -> None:
    """The clips in which it is strongest, one kind at a time."""
    st.subheader("Hear it", help=EXAMPLES_HELP)
    kinds: dict[str, tuple[Reference, ...]] = {
        "Most relevant": concept.relmax,
        **{f"for {title(label).lower()}": places for label, places in concept.relmax_by_label.items()},
        "Most active": concept.actmax,
    }
    there = [words for words, places in kinds.items() if places]
    if not there:
        st.caption("No reference clip uses it.")
        return
    asked = st.segmented_control(
        "Examples", there, default=there[0], required=True, label_visibility="collapsed",
        key=f"examples-{model}-{concept.layer}-{concept.channel}",
    )  # fmt: skip
    places = kinds[str(asked or there[0])]
    for first in range(0, len(places), COLUMNS):
        with st.container(key=f"cards-examples-{first}"):
            columns = st.columns(COLUMNS)
        for number, (column, place) in enumerate(zip(columns, places[first : first + COLUMNS], strict=False), first):
            with column, st.container(border=True):
                example_card(key=f"example-{number}", example=example(model, concept, place), **captions(place))


def captions(place: Reference) -> dict[str, str]:
    """What stands below an example: what the concept speaks for there, or how active it is, and where."""
    caption = f"Speaks for {title(place.label).lower()}" if place.label else "Is most active"
    band = f"{place.low_hz:.0f}–{place.high_hz:.0f} Hz"
    return {"caption": caption, "detail": f"{place.value:.2f} · at {place.time_s:.1f} s, {band}"}
