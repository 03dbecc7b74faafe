"""Writes a paragraph about comparisons of pairs of models that claims no more than their figures show."""

from collections.abc import Callable, Mapping, Sequence

from core.comparison.place import PLACES
from core.comparison.records import Comparison
from core.records import Interval

Cases = Mapping[str, Comparison]  # pairs by what both models have in common
LEVELS = ((0.8, "closely"), (0.5, "moderately"), (0.0, "weakly"))  # correlations from which a word holds


def summarise(kinds: tuple[str, str], cases: Cases) -> str:
    """A paragraph about what pairs of two kinds of networks have in common and where they differ.

    A difference counts if its interval excludes zero. If no pair differs, the paragraph reports no clear difference.
    """
    first, second = kinds
    sentences = [
        f"{first.capitalize()} and {second} networks agree on whether an instrument plays in "
        f"{_each(cases, lambda pair: pair.agreement.equal, percent)} of all cases; Cohen's kappa, which is 0 for "
        f"agreement by chance and 1 for full agreement, is {_each(cases, lambda pair: pair.agreement.kappa, plain)}.",
        f"Their maps of where an instrument is heard correlate {_level(cases)}: "
        f"{_each(cases, lambda pair: pair.maps.all, plain)}.",
        "The similarity (CKA) of their first layers is "
        f"{_each(cases, lambda pair: pair.layers.cka[0][0], plain)}, "
        f"that of their last layers {_each(cases, lambda pair: pair.layers.cka[-1][-1], plain)}.",
        *(_difference(second, place, cases) for place in PLACES if _clear(place, cases)),
        *_unclear(cases),
        _own_sound(cases),
    ]
    return " ".join(sentences)


def percent(figure: Interval) -> str:
    """A share with its interval in per cent.

    >>> percent(Interval(value=0.874, low=0.85, high=0.9))
    '87 % [85–90]'
    """
    value, low, high = _ends(figure)
    return f"{100 * value:.0f} % [{_range(f'{100 * low:.0f}', f'{100 * high:.0f}')}]"


def plain(figure: Interval) -> str:
    """A figure with its interval.

    >>> plain(Interval(value=0.874, low=0.85, high=0.9)), plain(Interval(value=-0.1, low=-0.2, high=0.1))
    ('0.87 [0.85–0.90]', '−0.10 [−0.20 to 0.10]')
    """
    value, low, high = _ends(figure)
    return f"{value:.2f} [{_range(f'{low:.2f}', f'{high:.2f}')}]".replace("-", "−")


def points(figure: Interval) -> str:
    """A difference of shares with its interval in percentage points.

    >>> points(Interval(value=-0.031, low=-0.05, high=-0.01))
    '−3.1 points [−5.0 to −1.0]'
    """
    value, low, high = _ends(figure)
    return f"{100 * value:+.1f} points [{100 * low:+.1f} to {100 * high:+.1f}]".replace("-", "−")


def _range(low: str, high: str) -> str:
    return f"{low} to {high}" if "-" in low + high else f"{low}–{high}"


def _ends(figure: Interval) -> tuple[float, float, float]:
    return figure.value or 0.0, figure.low or 0.0, figure.high or 0.0


def _each(cases: Cases, figure: Callable[[Comparison], Interval], text: Callable[[Interval], str]) -> str:
    return _and([f"{text(figure(pair))} ({case})" for case, pair in cases.items()])


def _and(parts: Sequence[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _level(cases: Cases) -> str:
    lowest = min(_ends(pair.maps.all)[0] for pair in cases.values())
    return next((word for edge, word in LEVELS if lowest >= edge), "not at all")


def direction(figure: Interval) -> int:
    """Whether a difference is clearly above (1) or below (-1) zero, or neither (0).

    >>> [direction(Interval(value=0.1, low=low, high=0.2)) for low in (0.05, -0.05)]
    [1, 0]
    """
    _, low, high = _ends(figure)
    return int(low > 0) - int(high < 0)


def _clear(place: str, cases: Cases) -> list[str]:
    """Cases in which the two networks clearly differ at a place."""
    return [case for case, pair in cases.items() if direction(pair.places[place].difference)]


def _difference(kind: str, place: str, cases: Cases) -> str:
    """One sentence about a place at which at least one pair clearly differs."""
    found = {case: cases[case].places[place].difference for case in _clear(place, cases)}
    signs = {direction(figure) for figure in found.values()}
    more = "sometimes more, sometimes less" if len(signs) > 1 else ("more" if signs == {1} else "less")
    where = _and([f"{points(figure)} ({case})" for case, figure in found.items()])
    others = [case for case in cases if case not in found]
    rest = f", with no clear difference for {_and(others)}" if others else ""
    return f"The {kind} network puts {more} of its evidence on {PLACES[place]}: {where}{rest}."


def _unclear(cases: Cases) -> list[str]:
    alike = [title for place, title in PLACES.items() if not _clear(place, cases)]
    return [f"There is no clear difference in the share of evidence on {_and(alike)}."] if alike else []


def _own_sound(cases: Cases) -> str:
    """Whether more of the networks' evidence lies on the instrument's own sound than its share of the energy."""
    own = [pair.places["own"] for pair in cases.values()]
    shares = [share for figures in own for share in (figures.a, figures.b)]
    energies = [figures.energy for figures in own for _ in range(2)]
    beyond = [_ends(share)[1] > _ends(energy)[2] for share, energy in zip(shares, energies, strict=True)]
    who = "All of them put" if all(beyond) else "Some of them put" if any(beyond) else "None of them clearly puts"
    return (
        f"{who} a larger share of the evidence on the instrument's own sound ({_span(shares)}) than the instrument "
        f"has of the mix's energy ({_span(energies)})."
    )


def _span(figures: Sequence[Interval]) -> str:
    values = [_ends(figure)[0] for figure in figures]
    low, high = round(100 * min(values)), round(100 * max(values))
    return f"{low} %" if low == high else f"{low}–{high} %"
