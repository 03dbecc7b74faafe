"""Guess first: nothing gives the answer away before the visitor has guessed, and the guess is scored rightly."""

import re

import pytest
from streamlit.testing.v1 import AppTest

from app.figures.colors import title
from app.frame.guessing import TOGGLE
from app.listen import guess
from core.synthesis.clip import compose
from tests.app.addresses import address
from tests.app.strips import strip
from tests.app.test_pages import button, open_page, upload, words
from tests.bad_files import encoded, tone


def guessing() -> AppTest:
    app = open_page()
    return app.toggle(key=TOGGLE).set_value(True).run()


def pills(app: AppTest) -> AppTest:
    return app.button_group(key=f"guess-{address(app)['clip']}")


def check(app: AppTest, *labels: str) -> AppTest:
    pills(app).set_value(list(labels)).run()
    return button(app, "Check my guess").click().run()


def test_the_answer_is_hidden_until_one_has_guessed() -> None:
    app = guessing()
    assert not app.exception
    clip = address(app)["clip"]
    assert "instruments" not in clip
    assert "The network" not in words(app)
    assert not any(each.label.startswith("Why ") for each in app.button)
    assert not app.get("plotly_chart")
    assert button(app, "Check my guess").disabled
    truth = compose(clip).labels
    missed, wrong = truth[-1], next(label for label in guess.LABELS if label not in truth)
    check(app, *truth[:-1], wrong)
    assert not app.exception
    assert address(app)["clip"] == clip
    said = words(app)
    assert f"**You:** {len(truth) - 1} right, 1 missed, 1 wrong." in said
    assert f"{missed.replace('_', ' ').capitalize()}, missed" in said
    assert f"{wrong.replace('_', ' ').capitalize()}, not there" in said
    assert "The network hears" in said or "not sure" in said
    assert any(each.label.startswith("Why ") for each in app.button)
    assert strip(app)["ribbons"]
    assert len(app.get("plotly_chart")) == 2


def test_next_draws_another_mix_and_the_score_runs_on() -> None:
    app = guessing()
    first = address(app)["clip"]
    check(app, *compose(first).labels)
    assert "Over 2 mixes" not in words(app)
    button(app, "Next mix").click().run()
    second = address(app)["clip"]
    assert second != first
    assert "The network" not in words(app)
    check(app, *compose(second).labels)
    right = len(compose(first).labels) + len(compose(second).labels)
    assert f"Over 2 mixes: you {right} right, 0 missed, 0 wrong" in words(app)
    app.run()  # and is counted once
    assert f"Over 2 mixes: you {right} right, 0 missed, 0 wrong" in words(app)


@pytest.mark.parametrize("page", ["explain", "compare"])
def test_other_pages_do_not_tell_before_one_has_guessed(page: str) -> None:
    app = guessing()
    clip = address(app)["clip"]
    app.switch_page(f"../pages/{page}.py").run()
    assert not app.exception
    said = " ".join([words(app), *(info.value for info in app.info)])
    assert "this page would tell" in said
    assert not [label for label in guess.LABELS if re.search(rf"\b{title(label)}\b", said, re.IGNORECASE)]
    assert not app.selectbox
    assert not app.get("plotly_chart")
    button(app, "Back to my guess").click().run()
    app.switch_page("../pages/listen.py").run()  # the test runner does not follow
    check(app, *compose(clip).labels)
    app.switch_page(f"../pages/{page}.py").run()
    assert not app.exception
    assert not app.info
    assert app.selectbox


def test_who_gives_up_is_shown_the_answer_and_the_mix_does_not_count() -> None:
    app = guessing()
    truth = compose(address(app)["clip"]).labels
    app.switch_page("../pages/explain.py").run()
    button(app, "I give up, show me").click().run()
    assert not app.exception
    assert app.selectbox
    app.switch_page("../pages/listen.py").run()
    said = words(app)
    assert "You gave this one up" in said
    assert all(title(label).lower() in said for label in truth)
    assert "**You:**" not in said
    button(app, "Next mix").click().run()
    check(app, *compose(address(app)["clip"]).labels)
    assert "Over 2 mixes" not in words(app)


def test_a_sound_that_is_not_guessed_is_explained_as_ever() -> None:
    app = upload(guessing(), "song.wav", encoded(tone(1.0)))
    app.switch_page("../pages/explain.py").run()
    assert not app.info
    assert app.selectbox


def test_a_revealed_truth_is_hidden_again_while_one_guesses() -> None:
    app = open_page()
    app.toggle(key="reveal").set_value(True).run()
    app.toggle(key=TOGGLE).set_value(True).run()
    assert "Really playing" not in words(app)
    assert not [toggle for toggle in app.toggle if toggle.key == "reveal"]


def test_a_recording_is_not_to_be_guessed() -> None:
    app = upload(guessing(), "song.wav", encoded(tone(1.0)))
    assert not app.exception
    assert "nobody knows what really plays" in words(app)
    assert "The network" in words(app)
