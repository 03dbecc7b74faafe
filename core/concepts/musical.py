"""What is known of the musical concepts in a model, and kept beside it; :mod:`core.concepts.locate` finds it."""

from core.errors import InputError
from core.models.store import model_folder
from core.records import Interval, Part, Record

FILE = "concepts.json"
REMEDY = "delete it and run `timbrescope concepts locate` again"


class LabelEffect(Part):
    """What a concept does to one label.

    Attributes:
        effect: By how much its vector says that the logit changes if the concept is added to a piece.
        relevance: The same by relevance: what of the logit would pass along the vector.
        p: How likely so large an effect is for a concept that means nothing, corrected for the number of tests.
        cause: By how much the logit does change in other pieces, on average.
    """

    effect: float
    relevance: float
    p: float
    cause: Interval


class LocatedConcept(Part):
    """A musical concept in a network.

    Attributes:
        name: Of the concept.
        layer: The layer that tells it best.
        probe: Score of a probe there, the area under the ROC curve, on pieces that it was not fitted on.
        control: That of probes for which a coin decides which twin has the concept.
        untrained: That of the probe on a network of the same form that was never trained.
        by_layer: What the probes of all layers reach on the pieces that locate, by which the layer was chosen.
        cosine: How alike the vectors of two halves of the pieces are.
        stable: Whether they are alike enough for the vector to be believed.
        vector: The direction of length one that the layer's activations move in.
        level: Mean activation along it in pieces without the concept.
        span: By how much it is higher in pieces with the concept.
        effects: What it does to each label.
    """

    name: str
    layer: str
    probe: Interval
    control: Interval
    untrained: Interval
    by_layer: dict[str, float]
    cosine: float
    stable: bool
    vector: tuple[float, ...]
    level: float
    span: float
    effects: dict[str, LabelEffect]


class Agreement(Part):
    """Rank correlation over concepts and labels with what the concepts cause, with bootstrap intervals over concepts.

    Attributes:
        effect: Of what the vectors predict.
        relevance: Of what relevance predicts.
    """

    effect: Interval
    relevance: Interval


class LocatedConcepts(Record):
    """The musical concepts in a model.

    Attributes:
        model: The model's name.
        plan: Fingerprint of all that the result depends on: weights, pieces, concepts and method.
        locating: How many pieces located the concepts.
        testing: How many others tested them.
        concepts: In the order of the taxonomy.
        null_rejected: Share of the tests in which a concept that means nothing was taken for one that does.
        null_uncorrected: The same without the correction for the number of tests, which should be 5 %.
        cause_agreement: How well the vectors predict what the concepts cause, each at its own layer.
        relevance_agreement: How well relevance predicts it.
        repeatability: How well the causes in the pieces that locate predict those in the pieces that test; no
            prediction can be much better.
        by_layer: The agreement if all vectors are taken at one layer.
    """

    model: str
    plan: str
    locating: int
    testing: int
    concepts: list[LocatedConcept]
    null_rejected: float
    null_uncorrected: float
    cause_agreement: Interval
    relevance_agreement: Interval
    repeatability: Interval
    by_layer: dict[str, Agreement]

    def concept(self, name: str) -> LocatedConcept:
        """One of them.

        Raises:
            InputError: there is none of this name.
        """
        found = {concept.name: concept for concept in self.concepts}
        if name not in found:
            raise InputError(f"There is no musical concept {name!r}; choose one of: {', '.join(found)}.")
        return found[name]


def located(model: str) -> LocatedConcepts | None:
    """What was last located in a model; None if nothing was.

    Raises:
        InputError: there is no such model, or the file is damaged.
    """
    return LocatedConcepts.find(model_folder(model) / FILE, REMEDY)
