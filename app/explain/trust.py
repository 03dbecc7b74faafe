"""Whether to believe an explanation, from what is known of the sound and of the model."""

import streamlit as st

from app.explain import explanations
from app.figures.colors import title
from app.figures.concept_words import capital
from app.frame import passages
from app.frame.caches import cached
from app.frame.hearing import model
from app.frame.passages import analysed, relevance
from core.evaluation.record import Evaluation, recorded_evaluations
from core.explanation.playback import Passage
from core.grading import trust
from core.grading.measures import area, rma
from core.grading.trust import MOST, UNUSUAL, Answer, Trust, Verdict
from core.taxonomy.instruments import LabelSet

BADGES = {
    Verdict.YES: ":green-badge[:material/check_circle: Yes]",
    Verdict.PARTLY: ":orange-badge[:material/help: Partly]",
    Verdict.NO: ":red-badge[:material/cancel: No]",
}
HELP_COMPOSED = (
    f"The app played the music, so it knows. Yes: the answer is right, and at least {MOST:.0%} of the evidence lies "
    "where the instrument is the loudest. Partly: less of it does, but more than by chance. No: the answer is wrong, "
    "or no more of the evidence lies there than by chance."
)
HELP_RECORDING = (
    "Nobody knows what really plays in a recording. Yes: in real recordings this network is surely right about this "
    f"instrument more often than not (the whole interval of its F1 is at least {MOST:.0%}), and it recognises it as it "
    f"usually does. No: it is surely wrong more often, or fewer than {UNUSUAL:.0%} of the clips in which it was right "
    "were as unusual. Partly: anything between, or not measured. F1 counts what it says wrongly and what it misses."
)


@cached("evaluations")
def _evaluations(model_name: str) -> dict[str, Evaluation]:
    return recorded_evaluations(model_name)


@cached("trust", "Checking …")
def trust_in(passage: Passage, label: str) -> Trust:
    """Whether to believe that the label is heard in the passage, or that it is not, and why."""
    trained = model(passage.model)
    index, found = trained.label_index(label), passages.probabilities(passage)
    answer = Answer(title(label).lower(), float(found[index]), bool(trained.decide(found)[index]))
    map = relevance(passage, label)
    place = trust.place_of(map.evidence, analysed(passage).logmel, trained.frontend, passage.start)
    if passage.stems and isinstance(trained.space, LabelSet):
        mask = passages.sounded(passage).masks.get(label)
        plays = label in passage.stems and bool(passage.stems[label].samples.any())
        if mask is None or not mask.any():
            return trust.trust_in_composed(answer, place, plays, None, None)
        return trust.trust_in_composed(answer, place, plays, rma(map.evidence, mask), area(mask))
    known = trust.reputation(_evaluations(passage.model), label)
    usual = explanations.usual(passage, label)
    rival = known.rival and title(known.rival).lower() if known else None
    return trust.trust_in_recording(answer, place, known, usual.percentile if usual else None, rival)


def trust_panel(passage: Passage, label: str) -> None:
    """The verdict and its sentence."""
    found = trust_in(passage, label)
    st.markdown(
        f"**Can you trust this?** {BADGES[found.verdict]} {capital(found.sentence)}",
        help=HELP_COMPOSED if passage.stems else HELP_RECORDING,
    )
