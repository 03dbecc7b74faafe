"""Small models for genre, with what their cards need."""

from typing import Any

from core.frontends.frontend import FrontendConfig
from core.frontends.statistics import StatisticsConfig
from core.models.card import Card, Training
from core.taxonomy.labels import LABEL_SPACES


def statistics_card(
    architecture: str, config: dict[str, Any], frontend: FrontendConfig | None = None, name: str = "small-svm"
) -> Card:
    """The card of a model that answers with GTZAN's ten genres."""
    training = Training(
        recipe="noise", data_seed=0, clips=1, validation_seed=0, validation_clips=1, epochs=1, weight_seed=0,
        settings={}, hardware="none", minutes=0.0, commit="none",
    )  # fmt: skip
    return Card(
        name=name, title="Small", description="Knows little.", task="genre", label_set="gtzan",
        labels=list(LABEL_SPACES.get("gtzan").labels), architecture=architecture, config=config,
        frontend=frontend or StatisticsConfig(), parameters=1, thresholds={}, training=training,
        window_s=30.0, timeline_window_s=10.0,
    )  # fmt: skip
