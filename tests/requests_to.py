"""Requests as the service parses them, for tests that need no server."""

from __future__ import annotations

from urllib.parse import urlencode

from mock_webshare.contract.endpoints import CREDIT_LIST, WEBSHARE
from mock_webshare.contract.model import Contract
from mock_webshare.service.framework.request import Headers, Parser, Request


def request_to(
    path: str = CREDIT_LIST.path,
    method: str = "GET",
    *,
    content_type: str | None = None,
    contract: Contract = WEBSHARE,
    **params: str,
) -> Request:
    """Return a request with a good key."""
    headers = Headers(authorization="Token key", content_type=content_type)
    target = path + (f"?{urlencode(params)}" if params else "")
    return Parser(contract).parse(method, target, headers, "127.0.0.1:8765", "http://127.0.0.1:8765")
