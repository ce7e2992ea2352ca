"""The room of recipients: the EU's decisions as the migration lays them in."""

from importlib import import_module

import pytest
from django.apps import apps


@pytest.fixture(autouse=True)
def adequate_countries(request: pytest.FixtureRequest) -> None:
    """Lay in the decisions anew: a test with transactions of its own empties every table."""
    if request.node.get_closest_marker("django_db"):
        request.getfixturevalue("db")
        import_module("disclosures.migrations.0007_adequacy").write(apps, None)
