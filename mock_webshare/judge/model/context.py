"""RuleContext: an exchange as the rules see it, and how they report a finding."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Unpack

from mock_webshare.contract.model import Contract, Endpoint, Kind, Lifecycle
from mock_webshare.exchange.limits import STRING_OR_REST
from mock_webshare.exchange.model import BadRecord, Exchange
from mock_webshare.exchange.request import RecordedRequest, shown
from mock_webshare.judge.body.fast_schema import acceptor
from mock_webshare.judge.model.finding import Finding, Level, Place
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.model.page import Page, read_page
from mock_webshare.judge.model.response_time import ResponseTime, response_time
from mock_webshare.judge.model.row_fields import RowFields, plain_row, row_fields
from mock_webshare.judge.model.rulebook import Details, finding_of
from mock_webshare.judge.model.shapes import different_kind

_BLANK = re.compile(rb"\s")
_PLAIN_CHARSETS = frozenset({"", "utf-8", "utf8"})


@dataclass(frozen=True, kw_only=True, eq=False)  # no slots: derived values are cached
class RuleContext:
    """An exchange, and values that follow from it; without a request, only its body is judged."""

    exchange: Exchange
    options: Options
    request: RecordedRequest | None = None
    """None: the request was not recorded."""
    schema: str | None = None
    """The schema that the body has to keep. None: there is no schema for it."""
    body: Any = None
    """The JSON value of the body. None: null, or there is no body."""

    @property
    def contract(self) -> Contract:
        """The contract that the exchange has to keep."""
        return self.options.contract

    @cached_property
    def place(self) -> Place:
        """The place of the exchange."""
        return place_of(self.exchange, self.contract)

    @cached_property
    def method(self) -> str:
        """The method, GET if it was not recorded."""
        return (self.exchange.method or "GET").upper()

    @cached_property
    def is_clear(self) -> bool:
        """Whether the service reads the request as we do; in an unusual charset it may not."""
        _, _, charset = (self.exchange.request_header("content-type") or "").lower().partition("charset")
        is_plain = charset.strip("= '\"") in _PLAIN_CHARSETS
        return self.request is not None and self.request.is_clear and is_plain

    @cached_property
    def has_blanks(self) -> bool:
        """Whether the JSON of the body has blanks between its tokens."""
        body = self.exchange.body
        # Most bodies do not have a blank at all, so the strings rarely have to be removed.
        return bool(_BLANK.search(body) and _BLANK.search(STRING_OR_REST.sub(b"", body)))

    @cached_property
    def is_rewritten(self) -> bool:
        """Whether the recorder may have rewritten the body: it is inexact, or has blanks and a new length."""
        length = self.exchange.header("content-length")
        return not self.exchange.is_body_exact or (self.has_blanks and length != str(len(self.exchange.body)))

    @property
    def level_of_form(self) -> Level | None:
        """The level of findings about the spelling of the body; None: the level of the rule."""
        return Level.NOTE if self.is_rewritten else None

    @cached_property
    def endpoint(self) -> Endpoint | None:
        """The endpoint whose object or page the body should be; None if it should be something else."""
        if self.request is None:
            return self.contract.responders.get(self.schema or "")
        return self.request.endpoint if self.schema == self.request.endpoint.schema else None

    @cached_property
    def fields(self) -> RowFields:
        """The fields of the rows of the endpoint."""
        assert self.endpoint
        return row_fields(self.contract, self.endpoint.path)

    @cached_property
    def lifecycle(self) -> Lifecycle | None:
        """How the rows change in time; None if they do not change, or there is no endpoint."""
        return None if self.endpoint is None else self.fields.resource.lifecycle

    @cached_property
    def is_valid(self) -> bool:
        """Whether the body is valid against its schema; True also if there is no schema."""
        return self.schema is None or acceptor(self.contract.schemas, self.schema)(self.body)

    @cached_property
    def kind_mismatch(self) -> tuple[str, str] | None:
        """The kind that is due, and the kind that the body, or each row, has instead; None: no mismatch.

        A kind is the name of a schema; the second one may also be a JSON type.
        """
        if self.schema is None or self.is_valid:
            return None
        if other := different_kind(self.body, self.schema, self.contract):
            return self.schema, other
        return self._kind_mismatch_of_rows()

    def _kind_mismatch_of_rows(self) -> tuple[str, str] | None:
        if self.endpoint is None or not (self.is_list or self.is_array):
            return None
        due = self.contract.row_schema(self.endpoint)
        kinds = (different_kind(row, due, self.contract) for _, row in self.objects)
        if (other := next(kinds, None)) is None or any(each != other for each in kinds):
            return None
        return due, other

    @cached_property
    def rows(self) -> list[Any]:
        """The items of a page or an array, of any type; otherwise the body, if it is an object."""
        rows = self.body
        if not (self.is_list or self.is_array):
            return [rows] if isinstance(rows, dict) else []
        if self.is_list:
            rows = self.body.get("results") if isinstance(self.body, dict) else None
        return rows if isinstance(rows, list) else []

    @cached_property
    def is_list(self) -> bool:
        """Whether the body should be a page."""
        return self.endpoint is not None and self.endpoint.kind is Kind.LIST

    @cached_property
    def is_array(self) -> bool:
        """Whether the body should be an array."""
        return self.endpoint is not None and self.endpoint.kind is Kind.ARRAY

    @cached_property
    def objects(self) -> list[tuple[int, dict[str, Any]]]:
        """The rows that are objects, with their indexes; empty if there is no endpoint."""
        if self.endpoint is None:
            return []
        return [(index, row) for index, row in enumerate(self.rows) if isinstance(row, dict)]

    @property
    def plain_body(self) -> Any:
        """The body, with the `plain_objects` in place of its rows."""
        plain = dict(self.plain_objects)
        rows = [plain.get(index, row) for index, row in enumerate(self.rows)]
        if self.is_list:
            return {**self.body, "results": rows} if rows else self.body
        return rows if self.is_array else rows[0] if rows else self.body

    @cached_property
    def plain_objects(self) -> list[tuple[int, dict[str, Any]]]:
        """The `objects`, their values spelled as the service does (see `plain_row`)."""
        if self.is_valid:
            return self.objects
        return [(index, plain_row(row, self.fields)) for index, row in self.objects]

    @cached_property
    def time(self) -> ResponseTime:
        """When the response was made."""
        return response_time(self.exchange)

    def shown(self, url: str) -> str:
        """Return a URL without what may be secret."""
        return shown(url, self.contract)

    def keys(self, index: int, *more: str) -> tuple[str | int, ...]:
        """Return the keys that lead from the body to the row at an index, or into it with `more` keys."""
        return ("results", index, *more) if self.is_list else (index, *more) if self.is_array else more

    def finding(self, rule: str, *keys: str | int, **details: Unpack[Details]) -> Finding:
        """Return a finding at the value in the body to which `keys` lead; see `finding_of`."""
        return finding_of(rule, self.place.at(*keys) if keys else self.place, self.contract, **details)

    @cached_property
    def page(self) -> Page | None:
        """The numbers of the page; None if they are wrong, or the request is not clear."""
        paging = self.endpoint.paging if self.endpoint else None
        if self.request is None or paging is None or not self.is_clear or not isinstance(self.body, dict):
            return None
        return read_page(self.request, self.body, paging, self.options.max_page_size)


def place_of(record: Exchange | BadRecord, contract: Contract) -> Place:
    """Return the place of a record, with the URL as `shown`: without what may be secret."""
    return Place(
        source=record.source,
        entry=record.entry,
        line=record.line,
        method=getattr(record, "method", None),
        url=None if record.url is None else shown(record.url, contract),
    )
