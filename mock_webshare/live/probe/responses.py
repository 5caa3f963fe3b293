"""Responses: what a service returned to the requests of a probe, by their names."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from mock_webshare.judge.model.finding import excerpt, printable, shorten
from mock_webshare.live.probe.subject import Row, Subject, Undecidable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mock_webshare.exchange.model import Exchange


class Responses:
    """The responses so far. All methods raise `Undecidable` if one is missing."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.received: dict[str, Exchange] = {}
        self.missing: dict[str, str] = {}
        """Why there is no response to a request."""

    def to(self, name: str) -> Exchange:
        """Return the response to a request."""
        if name not in self.received:
            raise Undecidable(self.missing.get(name, "the request was not sent"))
        exchange = self.received[name]
        if (exchange.status or 500) >= 500:
            raise Undecidable(f"the service responded with {exchange.status} to {described(exchange)}")
        return exchange

    def document(self, name: str) -> Any:
        """Return the JSON of a response; None if its body is not JSON."""
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
        if exchange.status != 200 or not self._is_page(document):
            raise Undecidable(f"the response to {described(exchange)} is not a page of {self.subject.plural}")
        page: Mapping[str, Any] = document
        return page

    def rows(self, name: str) -> list[Row]:
        """Return the rows of a page."""
        rows: list[Row] = self.page(name)["results"]
        return rows

    def count(self, name: str = "first") -> int:
        """Return the `count` of a page."""
        return int(self.page(name)["count"])

    def require_unchanged(self) -> None:
        """Raise `Undecidable` if the number of rows changed from the first request to the last."""
        counts = set()
        for name in ("first", "descending", "last page", "indented"):
            with suppress(Undecidable):
                counts.add(self.count(name))
        if len(counts) > 1:
            raise Undecidable(f"the number of {self.subject.plural} changed during the probe")

    def _is_page(self, document: Any) -> bool:
        if not isinstance(document, dict) or not isinstance(document.get("results"), list):
            return False
        id_type = str if self.subject.has_text_ids else int
        # The exact types, because a bool is an int too.
        return type(document.get("count")) is int and all(
            isinstance(row, dict) and type(row.get("id")) is id_type for row in document["results"]
        )


class Objection(NamedTuple):
    """What contradicts a rule, as a phrase; `option` of `serve` makes the mock do the same."""

    says: str
    option: str | None = None


class Expected(NamedTuple):
    """What a rule wants of a response; None: it wants nothing, or a header to be absent."""

    status: int | None = None
    detail: str | None = None
    rows: int | None = None
    headers: Mapping[str, str | None] = {}

    def objections(self, responses: Responses, name: str) -> Iterator[Objection]:
        """Yield what is different in the response to a request."""
        exchange, request = responses.to(name), described(responses.to(name))
        if self.status not in (None, exchange.status):
            yield Objection(f"{request} is {exchange.status}, not {self.status}")
        elif self.detail is not None and (detail := responses.detail(name)) != self.detail:
            yield Objection(f"{request} says {excerpt(detail)}, not {excerpt(self.detail)}")
        elif self.rows is not None and (rows := len(responses.rows(name))) != self.rows:
            yield Objection(f"{request} has {rows} rows, not {self.rows}")
        for header, wanted in self.headers.items():
            if (value := exchange.header(header)) != wanted:
                yield Objection(f"{header} of {request} is {_shown(value)}, not {_shown(wanted)}")


def _shown(value: str | None) -> str:
    return "absent" if value is None else printable(shorten(value))


def described(exchange: Exchange) -> str:
    """Return a request in short: `GET /api/v2/referral/credit/?page=0`."""
    target = (exchange.url or "").removeprefix(exchange.source)
    return printable(shorten(f"{exchange.method} {target}", 100))
