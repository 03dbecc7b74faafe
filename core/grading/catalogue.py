"""The measures that explainers are graded by: what each is called, what it says, and whether more of it is better."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """A measure of explanations.

    Attributes:
        title: Its name for people.
        meaning: What it measures.
        direction: Whether a good explainer has more (1) or less (-1) of it; 0 where it does not tell good from bad.
        thorough: Whether it is so costly that it is taken of the first clips only.
    """

    title: str
    meaning: str
    direction: int = 1
    thorough: bool = False


MEASURES = {
    "rma": Measure("Mass accuracy", "Share of the positive relevance that lies where the instrument is the loudest"),
    "lift": Measure("Lift", "How many times as much of it lies there as for a random map"),
    "rra": Measure(
        "Rank accuracy",
        "Of the most relevant cells, as many as the instrument has, the share that are the instrument's own",
    ),
    "pointing": Measure("Pointing", "How often the most relevant cell is one of the instrument's"),
    "si_sdr_improvement": Measure(
        "SI-SDR improvement, dB",
        "How many dB closer the masked mix is to the instrument's stem than the mix is; explainers that know concepts "
        "are masked as in the app, where the other detected instruments compete for the sound",
    ),
    "si_sdr_among_rivals": Measure(
        "… all masked so, dB",
        "The same with the map of every explainer masked against its maps of the other detected instruments",
    ),
    "si_sdr_floor": Measure("… its floor", "The same for a mask made of the mix's own energy", direction=0),
    "si_sdr_ceiling": Measure("… its ceiling", "The same for the ideal ratio mask", direction=0),
    "intervention": Measure(
        "Intervention",
        "Rank correlation of the relevance on each stem with the fall of the logit when that stem is left out",
    ),
    "concept_flipping": Measure(
        "Concept flipping",
        "Mean fall of the logit while concepts are silenced in order of their relevance",
        thorough=True,
    ),
    "concept_flipping_by_activation": Measure(
        "… by activation", "The same in order of their activation", direction=0, thorough=True
    ),
    "concept_flipping_at_random": Measure("… at random", "The same in random order", direction=0, thorough=True),
    "conservation_error": Measure(
        "Conservation error", "Relevance lost or gained between logit and map, as a share of the logit", direction=-1
    ),
    "absent_leakage": Measure(
        "Absent leakage",
        "Positive relevance for an instrument that does not play: 0 is none, ½ is as much as for one that does",
        direction=-1,
    ),
    "sanity_similarity": Measure(
        "Sanity similarity",
        "Rank correlation with the maps of networks with random weights; low is good",
        direction=-1,
        thorough=True,
    ),
    "stability": Measure(
        "Stability",
        "Rank correlation with the map of the same sound one frame later and at half the level",
        thorough=True,
    ),
    "sparseness": Measure(
        "Sparseness", "Gini index of the map: 0 if all cells are alike, 1 for a single cell", direction=0
    ),
    "reconstruction_si_sdr": Measure(
        "SI-SDR of reconstructions, dB",
        "How many dB closer to the instrument's stem than the mix is the sound in which the notes that the evidence "
        "points at are filled in",
    ),
    "reason_distinctness": Measure(
        "Distinct reasons", "Effective number of different maps among the reasons shown, as a share of them"
    ),
    "reason_mix_correlation": Measure(
        "Reason and mix",
        "Correlation of the sound of a reason with the mix: at 1, one hears the mix again",
        direction=-1,
    ),
    "reason_correlation": Measure(
        "Reason and reason", "Correlation of the sounds of two reasons that are shown together", direction=-1
    ),
    "reason_silencing": Measure(
        "Silencing reasons", "Rank correlation of a reason's relevance with the fall of the logit when it is silenced"
    ),
    "reason_silencing_as_promised": Measure(
        "… as promised",
        "Of the reasons with at least a twentieth of the relevance, the share whose silencing lowers the logit by half "
        "to twice their relevance",
    ),
    "reason_lift": Measure("Lift of reasons", "Mean lift of the reasons' maps, each counted by its relevance"),
    "reason_lift_over_label": Measure(
        "… over the label", "By how much it is higher than the lift of the map of the whole label"
    ),
    "reason_sound_lift": Measure("Lift of their sounds", "The same for the power of the reasons' sounds"),
    "reason_sound_lift_over_label": Measure(
        "… over the label", "By how much it is higher than the lift of the sound of the whole label"
    ),
    "stability_of_reasons": Measure(
        "Stability of reasons",
        "Over all reasons, the mean cosine of the relevance in their channels when they are learned from one half of "
        "the reference clips and from the other",
    ),
}
"""The measures in the order of reports."""

STUDY_MEASURES = ("stability_of_reasons",)
"""Those that a study measures, and a grade does not."""

REASON_MEASURES = tuple(name for name in MEASURES if name.startswith(("reason_", "reconstruction_")))
"""Those of the reasons for an answer, and of the notes filled in for it.

Only the default explainer gives them, for a model whose reasons were found.
"""
