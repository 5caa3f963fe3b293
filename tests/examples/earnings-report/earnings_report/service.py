"""The service: pages of JSON over HTTP, asked for patiently."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from earnings_report.errors import ContractError, ReportError

BASE_URL = "https://proxy.webshare.io"
_LIST = "/api/v2/referral/credit/"
_ATTEMPTS = 4
_LONGEST_WAIT = 120.0  # seconds; whoever is to wait for longer is told so instead


@dataclass(frozen=True, kw_only=True)
class Service:
    """Where the service is, and as whom and how patiently it is asked."""

    api_key: str
    base_url: str = BASE_URL
    timeout: float = 10.0  # seconds
    sleep: Callable[[float], object] = time.sleep

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], **options: Any) -> Service:
        """Return the service that `WEBSHARE_BASE_URL` and `WEBSHARE_API_KEY` name."""
        if not environment.get("WEBSHARE_API_KEY"):
            raise ReportError("there is no API key; set WEBSHARE_API_KEY")
        base_url = environment.get("WEBSHARE_BASE_URL") or BASE_URL
        return cls(api_key=environment["WEBSHARE_API_KEY"], base_url=base_url, **options)

    def credits(self, **filters: str) -> Iterator[Any]:
        """Yield the credits of all pages, as they come; numbers are exact decimals."""
        headers = {"Authorization": f"Token {self.api_key}"}
        with httpx.Client(base_url=self.base_url, headers=headers, timeout=self.timeout) as client:
            # By id: a credit that comes in the meantime comes last, and moves no other to another page.
            page = self._page(
                client, httpx.URL(_LIST, params={**filters, "ordering": "id", "page_size": "100"})
            )
            yield from page["results"]
            while page["next"] is not None:
                page = self._page(client, self._own(page["next"]))
                yield from page["results"]

    def _own(self, link: str) -> httpx.URL:
        """Given a link, return it; the key must not go to anybody else."""
        url, base = httpx.URL(link), httpx.URL(self.base_url)
        if (url.scheme, url.host, url.port) != (base.scheme, base.host, base.port):
            raise ContractError(f"the next page is at {url.host}, which is not {base.host}")
        return url

    def _page(self, client: httpx.Client, url: httpx.URL) -> dict[str, Any]:
        try:
            page = json.loads(self._get(client, url).content, parse_float=Decimal)
        except ValueError as error:
            raise ContractError("the answer is no JSON") from error
        if not isinstance(page, dict) or not isinstance(page.get("results"), list) or "next" not in page:
            raise ContractError("the answer is no page of credits")
        return page

    def _get(self, client: httpx.Client, url: httpx.URL) -> httpx.Response:
        for attempt in range(_ATTEMPTS):
            is_last = attempt == _ATTEMPTS - 1
            try:
                response = client.get(url)
            except httpx.TransportError as error:
                if is_last:
                    raise ReportError(
                        f"cannot reach {self.base_url}: {_why(error)}; try again later"
                    ) from error
                self.sleep(2.0**attempt)
                continue
            if response.is_success:
                return response
            if is_last or not _is_passing(response):
                break
            self._wait(response, attempt)
        raise ReportError(_told(response))

    def _wait(self, response: httpx.Response, attempt: int) -> None:
        asked = response.headers.get("Retry-After", "")
        seconds = float(asked) if asked.isdecimal() else 2.0**attempt
        if seconds > _LONGEST_WAIT:
            raise ReportError(f"the service asks to wait for {seconds:.0f} seconds; try again then")
        self.sleep(seconds)


def _is_passing(response: httpx.Response) -> bool:
    return response.status_code == 429 or response.is_server_error


def _why(error: httpx.TransportError) -> str:
    return "no answer in time" if isinstance(error, httpx.TimeoutException) else "the connection fails"


_ADVICE = {
    401: "the API key is refused; check WEBSHARE_API_KEY",
    429: "the service has had too many requests; try again later",
}


def _told(response: httpx.Response) -> str:
    status = response.status_code
    if status in _ADVICE:
        return _ADVICE[status]
    if response.is_server_error:
        return f"the service fails with {status}; try again later"
    return f"the service answers {status}: {_detail(response)}"


def _detail(response: httpx.Response) -> str:
    try:
        return str(response.json()["detail"])
    except (ValueError, LookupError, TypeError):
        return response.reason_phrase
