"""Answers: what a service said to the questions of a probe, by their names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from mock_webshare.judge.model.finding import printable, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_webshare.exchange.model import Exchange


class Undecidable(Exception):
    """A rule cannot be decided; the message says why, as a phrase."""


class Answers:
    """The answers so far. All methods raise `Undecidable` for an answer that is not to be had."""

    def __init__(self) -> None:
        self._exchanges: dict[str, Exchange] = {}
        self._missing: dict[str, str] = {}

    def add(self, name: str, exchange: Exchange) -> None:
        """Given a question's name, note what was said."""
        self._exchanges[name] = exchange

    def miss(self, name: str, reason: str) -> None:
        """Given a question's name, note why it was not answered."""
        self._missing[name] = reason

    @property
    def requests(self) -> int:
        """How many questions were answered."""
        return len(self._exchanges)

    def names(self) -> tuple[str, ...]:
        """Return the names of the questions that were answered."""
        return tuple(self._exchanges)

    def to(self, name: str) -> Exchange:
        """Return what was said to a question."""
        if name not in self._exchanges:
            raise Undecidable(self._missing.get(name, "it was not asked"))
        exchange = self._exchanges[name]
        if (exchange.status or 500) >= 500:
            raise Undecidable(f"the service answered {exchange.status} to {described(exchange)}")
        return exchange

    def document(self, name: str) -> Any:
        """Return the JSON that was said; None if it was none."""
        try:
            return json.loads(self.to(name).body)
        except (ValueError, RecursionError):
            return None

    def detail(self, name: str) -> Any:
        """Return the `detail` of an error; None if there is none."""
        document = self.document(name)
        return document.get("detail") if isinstance(document, dict) else None

    def page(self, name: str) -> Mapping[str, Any]:
        """Return a page of the list, in the documented form."""
        exchange, document = self.to(name), self.document(name)
        if exchange.status != 200 or not _is_page(document):
            raise Undecidable(f"the answer to {described(exchange)} is no page of credits")
        page: Mapping[str, Any] = document
        return page

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a page."""
        rows: list[dict[str, Any]] = self.page(name)["results"]
        return rows

    def ids(self, name: str) -> list[int]:
        """Return the ids of the rows of a page."""
        return [row["id"] for row in self.rows(name)]

    def count(self, name: str = "first") -> int:
        """Return the `count` of a page."""
        return int(self.page(name)["count"])


def _is_page(document: Any) -> bool:
    if not isinstance(document, dict) or not isinstance(document.get("results"), list):
        return False
    return _is_number(document.get("count")) and all(
        isinstance(row, dict) and _is_number(row.get("id")) for row in document["results"]
    )


def _is_number(value: Any) -> bool:
    # bool is a subclass of int, and JSON's true is no number.
    return isinstance(value, int) and not isinstance(value, bool)


def described(exchange: Exchange) -> str:
    """Return a request as a person would name it: `GET /api/v2/referral/credit/?page=0`."""
    target = (exchange.url or "").removeprefix(exchange.source)
    return printable(shorten(f"{exchange.method} {target}", 100))
