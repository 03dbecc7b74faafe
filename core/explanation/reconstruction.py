"""The notes that the evidence for an instrument points at, filled in from what its notes look like.

A network looks at a few telling cells of a note, so a mask of its relevance (:mod:`core.explanation.playback`) keeps
little of the rest. Here the whole note is put back. The magnitude of the mix ``V`` ``(bins, frames)`` is explained by
the note templates ``W`` of the instruments that the network hears (:mod:`.templates`), ``V ≈ W H`` in the
Kullback-Leibler divergence (supervised NMF: Smaragdis, Raj & Shashanka 2007). The strengths ``H`` start where each
instrument's evidence fits a template, and few updates follow, so that a note without evidence stays weak. The mask is
``share^(1 - a) · evidence^a``: the instrument's share of the explained magnitude, as in a Wiener filter, and the plain
mask of its evidence, which matters where the templates do not know the instrument's sound.

What one hears is therefore more than the network used: it is what the network used together with what this program
knows of instruments. Wherever it is played it is called a reconstruction.
"""

import numpy as np
from scipy.ndimage import gaussian_filter

from core.errors import InputError
from core.explanation import relevance
from core.explanation.engine import Trace
from core.explanation.playback import label_mask
from core.explanation.reasons import LEAST, strengths
from core.explanation.templates import NoteTemplates, load_templates
from core.frontends.frontend import Matrix, Spectrogram
from core.models.store import TrainedModel

BLUR = (1.0, 4.0)  # bands and frames by which evidence is blurred before it is compared with templates
UPDATES = 20  # of the strengths
EVIDENCE = 0.4  # exponent of the plain mask; with less, unheard soundfonts fare worse, and with more, heard ones


def can_reconstruct(model: TrainedModel, label: str) -> bool:
    """Whether there are templates for a label that fit what the model sees."""
    templates = load_templates()
    return label in templates.spectra and templates.fit(model.frontend.config)


def reconstruction_mask(
    model: TrainedModel,
    spectrogram: Spectrogram,
    label: str,
    trace: Trace | None = None,
    templates: NoteTemplates | None = None,
) -> Matrix:
    """The mask ``(bins, frames)`` in [0, 1] of the notes that the evidence for a label points at.

    Args:
        spectrogram: Of the passage.
        trace: That of the passage where there is one.
        templates: Of notes; the ones that the program comes with if not given.

    Raises:
        InputError: the model has no such label, or there are no templates for it at the model's sample rate and window.
    """
    templates = templates or load_templates()
    model.label_index(label)
    if label not in templates.spectra or not templates.fit(spectrogram.config):
        raise InputError(
            f"What the notes of {label!r} look like is not known for this model, so they cannot be filled in; listen "
            "to the mask of the evidence instead."
        )
    maps = _evidence(model, spectrogram, label, trace)
    known = {name: map for name, map in maps.items() if name in templates.spectra}
    spectra = [templates.spectra[name] for name in known]
    starts = [_fit(model.frontend.mel @ of, map) for of, map in zip(spectra, known.values(), strict=True)]
    everyone = np.concatenate(spectra, axis=1)
    found = strengths(everyone, np.abs(spectrogram.stft), np.concatenate(starts), UPDATES)
    own = spectra[0] @ found[: spectra[0].shape[1]]  # the label comes first
    share = np.minimum(own / (everyone @ found + LEAST), 1)
    plain = label_mask(maps.pop(label), model.frontend, list(maps.values()))
    return np.asarray(share ** (1 - EVIDENCE) * plain**EVIDENCE, np.float32)


def _evidence(model: TrainedModel, spectrogram: Spectrogram, label: str, trace: Trace | None) -> dict[str, Matrix]:
    """What speaks for the label, and then for each other one that the model detects: maps on the cells."""
    trace = trace or relevance.trace_of(model, spectrogram.features)
    heard = [model.labels[index] for index in model.detected(trace.logits.numpy())]
    own, rivals = relevance.contested(model, spectrogram.features, label, trace)
    names = [label, *(name for name in heard if name != label)]
    back = model.frontend.relevance_to_cells
    return {name: back(map, spectrogram) for name, map in zip(names, (own, *rivals), strict=True)}


def _fit(spectra: Matrix, map: Matrix) -> Matrix:
    """How well the evidence of a map fits each of the spectra ``(bands, templates)`` in each frame; 1 on average."""
    evidence = gaussian_filter(np.maximum(map, 0), BLUR)
    fitting = (spectra / np.linalg.norm(spectra, axis=0)).T @ evidence
    return np.asarray(fitting / max(float(fitting.mean()), np.finfo(np.float32).tiny) + LEAST, np.float32)
