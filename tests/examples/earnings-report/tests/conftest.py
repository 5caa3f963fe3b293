"""What all tests share: the program, run in the world of the test."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any, NamedTuple

import pytest
from mock_webshare import MockWorld

from earnings_report.cli import main


class Run(NamedTuple):
    """What a run of the program came to."""

    code: int
    out: str
    err: str
    waits: list[float]  # seconds for which it wanted to sleep

    @property
    def total(self) -> list[str]:
        """The last row of the report."""
        return self.out.splitlines()[-1].split()[1:]


@pytest.fixture(scope="session")
def webshare_mock_options() -> dict[str, Any]:
    """An account with 230 credits, so that there are three pages, and room for all the requests of a test."""
    return {"credits": 230, "rate_limit": "1000/min"}


@pytest.fixture
def run(webshare_mock: MockWorld) -> Callable[..., Run]:
    """Run the program in the world of the test.

    Where it would sleep, the clock of that world moves on instead, so no test ever waits.
    """

    def run(*arguments: str, **environment: str) -> Run:
        out, err, waits = StringIO(), StringIO(), list[float]()

        def sleep(seconds: float) -> None:
            waits.append(seconds)
            webshare_mock.set_clock(advance=seconds)

        environment = {**webshare_mock.env, **environment}
        code = main(arguments, environment=environment, stdout=out, stderr=err, sleep=sleep)
        return Run(code, out.getvalue(), err.getvalue(), waits)

    return run
