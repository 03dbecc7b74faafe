"""The address of a page that Streamlit's test runner has run, as a browser shows it."""

import json

from streamlit.testing.v1 import AppTest


def address(app: AppTest) -> dict[str, str]:
    """The parts of the address, completed by the page."""
    asked = [json.loads(component.proto.json) for component in app.get("bidi_component")]
    (completed,) = [data["address"] for data in asked if "address" in data]
    return {name: value for name, value in completed.items() if value is not None}
