"""The single pass finds what sorting and averaging all observations finds."""

from collections.abc import Iterator

import numpy as np
import pytest

from core.concepts.observe import Observations, Peaks
from core.concepts.references import TOP, TOP_OF_LABEL, LayerSurvey, Ranking, shares

CLIPS, LABELS, CHANNELS = 60, 4, 5


def peaks(rng: np.random.Generator, rows: int) -> Peaks:
    """Coarse values, so that some are equal; some are zero or negative."""
    values = rng.integers(-3, 12, (rows, CHANNELS)).astype(np.float32)
    return Peaks(values, rng.integers(0, 99, (rows, CHANNELS, 2)).astype(np.int16))


@pytest.fixture
def seen() -> Observations:
    rng = np.random.default_rng(0)
    explained = np.argwhere(rng.random((CLIPS, LABELS - 1)) < 0.4)  # the last label is never explained
    return Observations(np.arange(CLIPS), explained, {"conv": peaks(rng, CLIPS)}, {"conv": peaks(rng, len(explained))})


def chunks(seen: Observations, size: int) -> Iterator[Observations]:
    for start in range(0, CLIPS, size):
        rows = (seen.explained[:, 0] >= start) & (seen.explained[:, 0] < start + size)
        some, relevance, activation = slice(start, start + size), seen.relevance["conv"], seen.activation["conv"]
        yield Observations(
            seen.clips[some],
            seen.explained[rows],
            {"conv": Peaks(activation.values[some], activation.cells[some])},
            {"conv": Peaks(relevance.values[rows], relevance.cells[rows])},
        )


def surveyed(seen: Observations, size: int) -> LayerSurvey:
    survey = LayerSurvey(LABELS, CHANNELS)
    for chunk in chunks(seen, size):
        survey.add("conv", chunk)
    return survey


def ranked(rows: list[tuple[float, int, int, tuple[int, int]]], size: int) -> list:
    return sorted((row for row in rows if row[0] > 0), key=lambda row: (-row[0], row[1], row[2]))[:size]


def explanations(seen: Observations, channel: int) -> list[tuple[float, int, int, tuple[int, int]]]:
    found = seen.relevance["conv"]
    return [
        (float(found.values[row, channel]), int(clip), int(label), tuple(found.cells[row, channel].tolist()))
        for row, (clip, label) in enumerate(seen.explained)
    ]


@pytest.mark.parametrize("size", [1, 7, CLIPS])
def test_the_references_are_those_that_sorting_finds(seen: Observations, size: int) -> None:
    survey = surveyed(seen, size)
    for channel in range(CHANNELS):
        rows = explanations(seen, channel)
        best = {clip: ranked([row for row in rows if row[1] == clip], 1) for clip in range(CLIPS)}
        assert list(survey.relmax.of_channel(channel)) == ranked([row for one in best.values() for row in one], TOP)
        for label in range(LABELS):
            mine = [row for row in rows if row[2] == label]
            assert list(survey.relmax_by_label[label].of_channel(channel)) == ranked(mine, TOP_OF_LABEL)
        found = seen.activation["conv"]
        answers = [
            (float(found.values[clip, channel]), clip, -1, tuple(found.cells[clip, channel].tolist()))
            for clip in range(CLIPS)
        ]
        assert list(survey.actmax.of_channel(channel)) == ranked(answers, TOP)


@pytest.mark.parametrize("size", [1, 7, CLIPS])
def test_usage_is_the_mean_share_and_similarity_the_correlation_of_shares(seen: Observations, size: int) -> None:
    survey = surveyed(seen, size)
    used = np.abs(shares(seen.relevance["conv"].values))
    labels = seen.explained[:, 1]
    for label in range(LABELS - 1):
        assert survey.usage[label] == pytest.approx(used[labels == label].mean(0))
    assert np.isnan(survey.usage[LABELS - 1]).all()
    assert survey.similarity == pytest.approx(np.corrcoef(used.T))


def test_a_channel_that_nothing_passes_through_is_like_no_other(seen: Observations) -> None:
    seen.relevance["conv"].values[:, 2] = 0
    survey = surveyed(seen, 9)
    assert not survey.similarity[2].any()
    assert not survey.similarity[:, 2].any()
    assert list(survey.relmax.of_channel(2)) == []


def test_without_observations_there_are_no_references() -> None:
    survey = LayerSurvey(LABELS, CHANNELS)
    assert np.isnan(survey.usage).all()
    assert not survey.similarity.any()
    assert list(Ranking(3, CHANNELS).of_channel(0)) == []


def test_shares_sum_to_one_or_are_zero_without_relevance() -> None:
    relevance = np.array([[1.0, -2.0, 1.0], [0.0, 0.0, 0.0]], np.float32)
    assert shares(relevance).tolist() == [[0.25, -0.5, 0.25], [0, 0, 0]]
