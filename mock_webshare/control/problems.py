"""Problems: errors of the control plane, as problem details (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from mock_webshare.errors import Conflict, Contradiction, DataError, MockWebshareError, NotFound
from mock_webshare.service.framework.response import render

_log = logging.getLogger(__name__)


class Problem(Exception):
    """An error that the control plane responds with."""

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        *,
        pointer: str | None = None,  # the place in the body. None: the error is not about the body
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.headers = headers
        self.pointer = pointer


def problem_of(error: Exception) -> Problem:
    """Return the problem by which an error is reported to the client."""
    match error:
        case Problem():
            return error
        case DataError():
            status = 409 if isinstance(error, Contradiction) else 400
            return Problem(status, error.problem, pointer=error.pointer)
        case Conflict():
            return Problem(409, str(error))
        case NotFound():
            return Problem(404, str(error))
        case MockWebshareError():
            return Problem(400, str(error))
        case web.RequestPayloadError():
            return Problem(400, "the body cannot be decoded by its Content-Encoding")
    # Only the type: the text of an error may contain a key or a whole row.
    _log.error("internal error of mock-webshare, please report it: %s", type(error).__name__)
    _log.debug("traceback:", exc_info=error)
    return Problem(500, f"internal error of mock-webshare, please report it: {type(error).__name__}")


def problem_response(problem: Problem, detail: str) -> web.Response:
    """Return the response that reports a problem with this `detail`."""
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
