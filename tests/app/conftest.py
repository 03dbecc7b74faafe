"""What all tests of the app share."""

from collections.abc import Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner


@pytest.fixture(scope="session", autouse=True)
def _installed_components() -> Iterator[None]:
    """Searches the installed packages for components of Streamlit's once, as a server does, not for every ``AppTest``.

    There are hundreds of packages, and none of them comes or goes while the tests run.
    """
    with pytest.MonkeyPatch.context() as context:
        context.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield
