"""Start-up of the tests: servers of their own, once per run, in a folder that goes with it."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from django.conf import settings

from dentalclean.embedded import servers

_house = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers in the process that leads the run, before its workers need them."""
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    _house.callback(servers.remove, settings.HOUSE)
    _house.enter_context(servers.running(settings.HOUSE, durable=False))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers and remove their folder."""
    _house.close()


@pytest.fixture(autouse=True)
def _clean_cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let no test see what another one put into the cache (rate limits above all)."""
    yield
    if "db" in request.fixturenames:
        from django.core.cache import cache

        cache.clear()
