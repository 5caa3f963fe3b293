"""Fixtures of the dashboard's tests."""

from __future__ import annotations

import pytest

from dashboard import Dashboard


@pytest.fixture
def naps() -> list[float]:
    """The seconds for which the client has slept."""
    return []


@pytest.fixture
def board(webshare_mock, naps) -> Dashboard:
    """A client of the test's own account; its sleep advances the clock of the mock server."""

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        webshare_mock.set_clock(advance=seconds)

    return Dashboard(webshare_mock.api_key, webshare_mock.url, timeout=5, sleep=sleep)
