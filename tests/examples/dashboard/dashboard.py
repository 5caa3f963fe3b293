"""The figures of an affiliate dashboard, read from the Webshare referral API."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import requests

DEFAULT_URL = "https://proxy.webshare.io"
RETRIED = {429, 502, 503, 504}
STATUSES = ("pending", "available", "reverted")


class ApiError(Exception):
    """The API refused a request."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message
        self.code = code


class BadKey(ApiError):
    """The API key is missing or wrong."""


class AccountBlocked(ApiError):
    """The account is suspended, deleted, or needs a second factor."""


class InvalidParameters(ApiError):
    """A filter has a value that the API does not accept."""

    def __init__(self, status: int, fields: dict[str, list[str]]) -> None:
        super().__init__(status, "; ".join(f"{name}: {' '.join(texts)}" for name, texts in fields.items()))
        self.fields = fields


class UnexpectedData(Exception):
    """The API sent something that it does not document, so that no figure could be trusted."""


class Unavailable(Exception):
    """The API could not be reached, or gave no usable answer, in all attempts."""


@dataclass
class Summary:
    """Amounts in USD by status, and those that were not reverted by channel code."""

    by_status: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    by_channel: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    count: int = 0


def _amount(value: Any) -> Decimal:
    """Return an amount; a text such as "2.5" is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnexpectedData(f"a credit has the amount {value!r}")
    return Decimal(str(value))


class Dashboard:
    """Reads the referral data of one account."""

    def __init__(
        self,
        api_key: str,
        base_url: str = DEFAULT_URL,
        *,
        attempts: int = 4,
        timeout: float = 10.0,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._base = base_url.rstrip("/") + "/api/v2/referral/"
        self._attempts = attempts
        self._timeout = timeout
        self._sleep = sleep
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Token {api_key}"

    def credits(
        self,
        *,
        status: str | None = None,
        mode: str | None = None,
        channel: int | None = None,
        ordering: str | None = None,
        page_size: int = 100,
    ) -> Iterator[dict[str, Any]]:
        """Yield all credits that the filters select, page by page; one that moves to another page comes once."""
        seen = set()
        for credit in self._rows(status, mode, channel, ordering, page_size):
            if credit["id"] not in seen:
                seen.add(credit["id"])
                yield credit

    def _rows(
        self, status: str | None, mode: str | None, channel: int | None, ordering: str | None, page_size: int
    ) -> Iterator[dict[str, Any]]:
        params = {"status": status, "mode": mode, "referral_channel": channel, "ordering": ordering}
        page = self._get(self._base + "credit/", {**params, "page_size": page_size})
        yield from page["results"]
        while page["next"]:
            page = self._get(page["next"])
            yield from page["results"]

    def credit(self, credit_id: int) -> dict[str, Any] | None:
        """Return one credit, or None if there is no such credit."""
        try:
            return self._get(f"{self._base}credit/{credit_id}/")
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def channels(self, *, active_only: bool = False) -> list[dict[str, Any]]:
        """Return the channels, the one with the highest commission first."""
        rows = self._get(self._base + "channel/")
        if active_only:
            rows = [row for row in rows if row["is_active"]]
        return sorted(rows, key=lambda row: row["total_commission"], reverse=True)

    def summary(self) -> Summary:
        """Add up all credits."""
        result = Summary()
        for credit in self.credits():
            amount = _amount(credit["amount"])
            result.count += 1
            if credit["status"] not in STATUSES:
                raise UnexpectedData(f"a credit has the status {credit['status']!r}")
            result.by_status[credit["status"]] += amount
            if credit["status"] != "reverted":
                result.by_channel[credit["referral_channel_code"] or "link"] += amount
        return result

    def _get(self, url: str, params: dict[str, Any] | None = None) -> Any:
        problem = ""
        for attempt in range(self._attempts):
            if attempt and not problem.startswith("429"):
                self._sleep(0.5 * 2 ** (attempt - 1))
            try:
                response = self._session.get(url, params=params, timeout=self._timeout)
                if response.status_code not in RETRIED:
                    return self._decode(response)
                problem = f"{response.status_code} {response.reason}"
                if response.status_code == 429 and attempt + 1 < self._attempts:
                    self._sleep(float(response.headers.get("Retry-After", 1)))
            except (requests.RequestException, ValueError) as error:
                problem = type(error).__name__
        raise Unavailable(f"no answer from {url.partition('?')[0]} in {self._attempts} attempts: {problem}")

    def _decode(self, response: requests.Response) -> Any:
        """Return the body of a successful response, or raise what it says."""
        status = response.status_code
        if status == 200:
            return response.json()
        try:
            body = response.json()
        except ValueError:
            raise ApiError(status, response.reason) from None
        if status == 400 and "detail" not in body:
            raise InvalidParameters(
                status, {name: [each["message"] for each in errors] for name, errors in body.items()}
            )
        kind = {401: BadKey, 403: AccountBlocked}.get(status, ApiError)
        raise kind(status, body.get("detail", response.reason), body.get("code"))
