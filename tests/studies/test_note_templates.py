"""Templates are learned from notes as they are: the partials of a note stand in the templates of its pitch."""

import numpy as np
import pytest

from core.studies.note_templates import learn
from core.taxonomy.instruments import INSTRUMENTS


@pytest.mark.slow
def test_the_loudest_partial_of_a_template_is_one_of_its_note():
    done = []
    templates = learn(("timgm6mb",), ("flute",), lambda *now: done.append(now))
    ((label, spectra),) = templates.spectra.items()
    pitches = np.arange(INSTRUMENTS[label].low, INSTRUMENTS[label].high + 1)
    assert done == [(1, 1)]
    assert spectra.sum(0) == pytest.approx(1, rel=1e-4)
    assert (spectra >= 0).all()
    lowest = np.argmax(spectra[:, 0]) * templates.sample_rate / templates.window
    fundamental = 440 * 2 ** ((pitches[0] - 69) / 12)
    assert lowest / fundamental == pytest.approx(round(lowest / fundamental), abs=0.05)
