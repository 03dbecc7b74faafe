from collections import OrderedDict
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from core.audio import SAMPLE_RATE, Audio
from core.concepts import tuning
from core.concepts.atlas import Factor
from core.concepts.naming import concept_name
from core.concepts.probes import OCTAVES, Probe, probes, sound
from core.concepts.questions import SPANS, Heard
from core.concepts.tuning import auc, listen, measure, tunings
from core.frontends.frontend import FrontendConfig, frontend
from core.models.network import StagedNetwork
from core.models.store import TrainedModel, load_model
from core.taxonomy.instruments import INSTRUMENTS, label_set

LABELS = ("piano", "acoustic_guitar", "banjo", "violin", "cello", "trumpet", "flute", "tuba")
FRONTEND = frontend(FrontendConfig())
RNG = np.random.default_rng(0)


def as_heard(probe: Probe) -> list[Heard]:
    """What is heard of a probe, if its lowest partial is its loudest."""
    hz = probe.hz or (440 * 2 ** ((probe.pitches[0] - 69) / 12) if probe.pitches else OCTAVES[0])
    octave = max(0, int(np.searchsorted(OCTAVES, hz, side="right")) - 1)
    moments = ["whole"]
    if probe.kind in ("note", "tone") and not (probe.repeated or probe.vibrato or probe.below_db):
        moments += ["onset", "sustain"]
    return [Heard(probe, octave, moment) for moment in moments]


HEARD = [one for probe in probes(label_set("general"), LABELS) for one in as_heard(probe)]


def best(factors: list[Factor], factor: str) -> Factor:
    return next(one for one in factors if one.factor == factor)


@pytest.mark.parametrize(
    ("planted", "name"),
    [
        (lambda h: h.probe.label == "violin", "violin"),
        (lambda h: h.probe.label in ("banjo", "acoustic_guitar"), "plucked strings"),
        (lambda h: h.probe.label == "banjo" and h.moment == "onset", "attacks"),
        (lambda h: h.probe.label in ("banjo", "acoustic_guitar") and h.moment != "sustain", "plucked attacks"),
        (lambda h: h.moment == "sustain", "sustained sound"),
        (lambda h: 2 <= h.octave < 4 and h.probe.kind != "silence", "sound, 150–600 Hz"),
        (lambda h: h.octave >= 6, "sound, above 2400 Hz"),
        (lambda h: h.probe.kind == "noise", "noise"),
        (lambda h: h.probe.kind in ("tone", "note") and not h.probe.below_db, "tones"),
        (lambda h: h.probe.vibrato, "sound with vibrato"),
        (lambda h: h.probe.repeated and h.probe.kind == "note", "repeated notes"),
        (lambda h: h.probe.kind == "silence", "silence"),
    ],
)
def test_planted_answers_are_named_right(planted: Callable[[Heard], bool], name: str) -> None:
    answers = np.array([float(planted(one)) for one in HEARD]) + RNG.normal(0, 0.1, len(HEARD))
    assert concept_name(measure(HEARD, answers[:, None])[0]) == name


def test_random_answers_are_mixed() -> None:
    names = [concept_name(factors) for factors in measure(HEARD, RNG.normal(size=(len(HEARD), 400)))]
    assert names.count("mixed") / len(names) > 0.97


def test_what_holds_for_one_half_of_the_probes_only_is_no_evidence() -> None:
    answers = np.array([float(one.probe.label == "violin" and not one.probe.held_out) for one in HEARD])
    answers += RNG.normal(0, 0.1, len(HEARD))
    factors = measure(HEARD, answers[:, None])[0]
    assert best(factors, "instrument").value == "violin"
    assert best(factors, "instrument").score == pytest.approx(0.5, abs=0.2)
    assert concept_name(factors) == "mixed"


def test_a_register_is_not_mistaken_for_the_instruments_that_play_there() -> None:
    answers = np.array(
        [float(one.octave <= 1 and bool(one.probe.hz or one.probe.label)) for one in HEARD]
    ) + RNG.normal(0, 0.1, len(HEARD))
    factors = measure(HEARD, answers[:, None])[0]
    assert best(factors, "instrument").score < 0.75
    assert concept_name(factors) == "sound, below 150 Hz"


def test_the_strongest_factor_comes_first_and_all_instruments_and_registers_follow() -> None:
    answers = np.array([float(one.probe.label == "violin") for one in HEARD]) + RNG.normal(0, 0.1, len(HEARD))
    factors = measure(HEARD, answers[:, None])[0]
    chosen = len({one.factor for one in factors})
    scores = [one.score for one in factors[:chosen]]
    assert scores == sorted(scores, reverse=True)
    assert {one.value for one in factors if one.factor == "instrument"} == set(LABELS)
    assert {one.value for one in factors if one.factor == "family"} == {INSTRUMENTS[label].family for label in LABELS}
    assert {one.value for one in factors[chosen:] if one.factor == "register"} <= set(SPANS)
    assert len({(one.factor, one.value) for one in factors}) == len(factors)
    assert all(0 <= one.score <= 1 and one.measure == "AUC" for one in factors)


def test_a_dead_channel_is_mixed() -> None:
    assert concept_name(measure(HEARD, np.zeros((len(HEARD), 1)))[0]) == "mixed"


def test_auc_counts_pairs() -> None:
    answers = RNG.integers(0, 6, (40, 3)).astype(float)  # with ties
    members = RNG.random((4, 40)) < 0.4
    strata = RNG.integers(0, 3, 40)
    weights = {stratum: RNG.random(3) for stratum in range(3)}
    expected = np.zeros((4, 3))
    for group, channel in product(range(4), range(3)):
        won = total = 0.0
        for one, other in product(range(40), range(40)):
            if members[group, one] and not members[group, other] and strata[one] == strata[other]:
                weight = weights[strata[one]][channel]
                difference = answers[one, channel] - answers[other, channel]
                won += weight * (0.5 if difference == 0 else difference > 0)
                total += weight
        expected[group, channel] = won / total
    np.testing.assert_allclose(auc(answers, members, strata, weights), expected)


def test_auc_is_nan_if_nothing_can_be_compared() -> None:
    members = np.array([[True, True, False, False]])
    assert np.isnan(auc(RNG.random((4, 2)), members, np.array([0, 0, 1, 1]))).all()


REACH = 10  # frames that planted channels see before and after
PLANTED = ("600–2400 Hz", "attacks", "sustained", "noise", "silence", "mixed")


def convolution(weight: torch.Tensor, bias: torch.Tensor, padding: tuple[int, int] = (0, 0)) -> nn.Conv2d:
    made = nn.Conv2d(weight.shape[1], weight.shape[0], (weight.shape[2], weight.shape[3]), padding=padding)
    made.load_state_dict({"weight": weight, "bias": bias})
    return made


def planted_network() -> StagedNetwork:
    """Channels that read the whole spectrum at once, and upper ones that repeat them 32 frames at a time."""
    hz = FRONTEND.band_hz
    kernels = torch.zeros(len(PLANTED), 1, len(hz), 2 * REACH + 1)
    bias = torch.zeros(len(PLANTED))
    inside = torch.from_numpy((hz >= 600) & (hz < 2400))
    kernels[0, 0, inside, REACH], kernels[0, 0, ~inside, REACH] = 1.0, -1.0
    kernels[1, 0, :, REACH - 1], kernels[1, 0, :, REACH + 1] = -1.0, 1.0
    kernels[2, 0, :, :REACH] = 1.0
    kernels[3, 0, :, REACH], bias[3] = 1.0, -0.6 * len(hz)
    kernels[4, 0, :, REACH], bias[4] = -1.0, 0.1 * len(hz)
    kernels[5, 0] = -1.0
    repeat = torch.eye(len(PLANTED))[:, :, None, None]
    first, second = convolution(kernels, bias, padding=(0, REACH)), convolution(repeat, torch.zeros(len(PLANTED)))
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv1=first, relu1=nn.ReLU(), pool1=nn.MaxPool2d((1, 32), ceil_mode=True), conv2=second, relu2=nn.ReLU()
    )
    return StagedNetwork(layers).requires_grad_(False).eval()


def test_planted_concepts_are_named_right() -> None:
    heard, answers = listen(planted_network(), FRONTEND, probes(label_set("general"), LABELS))
    names = [concept_name(factors) for factors in measure(heard, answers["conv1"])]
    for name, word in zip(names, PLANTED, strict=True):
        assert word in name, names
    attacks = concept_name(measure(heard, answers["conv2"])[1])
    assert "attacks" in attacks


def test_answers_do_not_depend_on_batches(monkeypatch: pytest.MonkeyPatch, tiny_model_: TrainedModel) -> None:
    played = probes(label_set("general"), ("banjo",))[::7]
    heard, together = listen(tiny_model_.network, tiny_model_.frontend, played)
    monkeypatch.setattr(tuning, "BATCH", 3)
    again, apart = listen(tiny_model_.network, tiny_model_.frontend, played)
    assert heard == again
    for layer, values in together.items():
        assert values.shape[0] == len(heard)
        np.testing.assert_allclose(values, apart[layer], atol=2e-6)


def test_an_answer_is_the_mean_difference_from_silence() -> None:
    negative = convolution(torch.full((1, 1, 1, 1), -1.0), torch.tensor([2.0]))
    network = StagedNetwork(OrderedDict(conv1=negative, relu1=nn.ReLU())).requires_grad_(False).eval()
    probe = Probe("tone", False, hz=440.0, repeated=True)
    _, answers = listen(network, FRONTEND, [probe, Probe("silence", False, floor_db=-300.0)])
    logmel = FRONTEND.analyse(Audio(sound(probe), SAMPLE_RATE)).logmel
    times = FRONTEND.frame_times(logmel.shape[1])
    inside = logmel[:, (times > 0.02) & (times < 1.48)]
    assert answers["conv1"][0, 0] == pytest.approx(-inside.mean(), rel=0.03)
    assert answers["conv1"][1, 0] == 0


def test_every_channel_of_a_model_gets_its_factors(monkeypatch: pytest.MonkeyPatch, tiny_model_: TrainedModel) -> None:
    played = probes(label_set("general"), ("banjo", "violin"))[::5]
    monkeypatch.setattr(tuning, "probes", lambda label_set, labels: played)
    shares: list[float] = []
    found = tunings(tiny_model_, shares.append)
    widths = {layer: getattr(tiny_model_.network, layer).out_channels for layer in tiny_model_.network.concept_layers}
    assert set(found) == {(layer, channel) for layer, width in widths.items() for channel in range(width)}
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert all(concept_name(factors) for factors in found.values())


@pytest.fixture(scope="module")
def tiny_model_(tiny_model: str) -> TrainedModel:
    return load_model(str(tiny_model))
