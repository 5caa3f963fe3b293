"""Problems: why a request to the control plane is refused, as problem details (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from mock_webshare.errors import DataError, MockWebshareError, NotFound
from mock_webshare.service.framework.rendering import render

_log = logging.getLogger(__name__)


class Problem(Exception):
    """Why a request to the control plane is refused (RFC 9457)."""

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        *,
        pointer: str | None = None,  # where in the body; None: it is not about the body
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers
        self.pointer = pointer


def problem_of(error: Exception) -> Problem:
    """Return the problem that an error is, to whoever sent the request."""
    match error:
        case Problem():
            return error
        case DataError():
            return Problem(400, error.problem, pointer=error.pointer)
        case NotFound():
            return Problem(404, str(error))
        case MockWebshareError():
            return Problem(400, str(error))
        case web.RequestPayloadError():
            return Problem(400, "the body is not encoded as its Content-Encoding says")
    # The kind alone: the text of an error may hold a key, or a whole row.
    _log.error("a mistake of mock-webshare, please report it: %s", type(error).__name__)
    _log.debug("where it happened:", exc_info=error)
    return Problem(500, f"a mistake of mock-webshare, please report it: {type(error).__name__}")


def refused(problem: Problem, detail: str) -> web.Response:
    """Return the answer that tells a problem, in the words of `detail`."""
    details = {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": detail,
    }
    if problem.pointer is not None:
        details["pointer"] = problem.pointer
    return web.Response(
        status=problem.status,
        body=render(details),
        content_type="application/problem+json",
        headers=problem.headers,
    )
