"""The song strip of a page under Streamlit's own test runner."""

import json
from typing import Any

from streamlit.testing.v1 import AppTest


def strip(app: AppTest) -> dict[str, Any]:
    """What the browser is given of the only song strip on the page."""
    sent = [json.loads(component.proto.json) for component in app.get("bidi_component")]
    (found,) = [data for data in sent if "ribbons" in data]
    return found
