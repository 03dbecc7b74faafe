"""The maps of one clip while a network forgets, for the sanity check of the Evidence page."""

from dataclasses import dataclass, replace

from app.frame.caches import cached
from app.frame.hearing import model
from core.explanation.explainer import EXPLAINERS
from core.explanation.relevance import as_input
from core.explanation.targets import Logit
from core.frontends.frontend import Matrix
from core.grading.sanity import Step, cascade
from core.synthesis.clip import Clip, compose
from core.synthesis.recipe import modified, recipe

SEED = 1


@dataclass(frozen=True)
class SanityCheck:
    """The maps of one instrument of a clip, from the trained network to one that knows nothing.

    Attributes:
        clip: What plays.
        label: The instrument that is explained.
        logmel: Picture of the clip ``(bands, frames)``.
        steps: One for the trained network, and one for each layer that is randomised.
    """

    clip: Clip
    label: str
    logmel: Matrix
    steps: tuple[Step, ...]


@cached("sanity checks", "Randomising layer by layer …")
def sanity_check(model_name: str, explainer: str) -> SanityCheck:
    """An explainer's maps of the surest instrument of a small clip while the network forgets.

    Raises:
        InputError: there is no such explainer.
    """
    trained = model(model_name)
    kind = modified(recipe(trained.card.label_set), count=(2,), duration=3.0, soundfont=("fluidr3",))
    clip = compose(kind.clip_name(SEED))
    sound = trained.frontend.analyse(clip.audio)
    logits = trained.logits(sound.features[None])[0]
    label = max(clip.labels, key=lambda name: logits[trained.label_index(name)])
    steps = cascade(
        EXPLAINERS.get(explainer), trained.network, as_input(sound.features), Logit(trained.label_index(label)), SEED
    )
    shown = (replace(step, map=trained.frontend.relevance_to_cells(step.map, sound)) for step in steps)
    return SanityCheck(clip, label, sound.logmel, tuple(shown))
