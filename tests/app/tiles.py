"""The tiles of concepts on a page that Streamlit's test runner has run."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def tiles(app: AppTest) -> list[dict[str, Any]]:
    """The concepts that the page shows, in their order."""
    mounted = [json.loads(component.proto.json) for component in app.get("bidi_component")]
    return [tile for data in mounted for tile in data.get("tiles", [])]
