"""RuleContext: one exchange as the rules see it, and the way to say what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mock_webshare.contract.model import Kind, Mark
from mock_webshare.exchange.request import shown
from mock_webshare.judge.model.finding import Finding, Place, excerpt, pointer
from mock_webshare.judge.model.page import read_page
from mock_webshare.judge.model.rulebook import GRADES, rules_of
from mock_webshare.judge.model.schema_fields import fields_of

if TYPE_CHECKING:
    from mock_webshare.contract.model import Contract, Endpoint, Lifecycle
    from mock_webshare.exchange.model import BadRecord, Exchange
    from mock_webshare.exchange.request import RecordedRequest
    from mock_webshare.judge.model.finding import Level
    from mock_webshare.judge.model.options import Options
    from mock_webshare.judge.model.page import Page
    from mock_webshare.judge.model.schema_fields import Fields

NOTHING: Any = object()
"""The actual value of what is not there."""
_PLAIN_CHARSETS = frozenset({"", "utf-8", "utf8"})


@dataclass(frozen=True, kw_only=True, eq=False)  # no slots: what follows from it is remembered
class RuleContext:
    """An exchange with all that was made of it. Without a request only the body can be judged."""

    exchange: Exchange
    options: Options
    request: RecordedRequest | None = None
    """None: the request was not recorded."""
    schema: str | None = None
    """What the body has to keep. None: there is no schema for it."""
    body: Any = None
    """The JSON value. None, which is one, also if there is none."""

    @property
    def contract(self) -> Contract:
        """The contract that is to be kept."""
        return self.options.contract

    @cached_property
    def method(self) -> str:
        """The method, GET if it was not recorded."""
        return (self.exchange.method or "GET").upper()

    @cached_property
    def is_clear(self) -> bool:
        """Whether the request means the same to the service as to us; one in another charset may not."""
        _, _, charset = (self.exchange.request_header("content-type") or "").lower().partition("charset")
        is_plain = charset.strip("= '\"") in _PLAIN_CHARSETS
        return self.request is not None and self.request.is_clear and is_plain

    @cached_property
    def endpoint(self) -> Endpoint | None:
        """The endpoint whose object or page the body should be; None if it is to be something else."""
        return self.contract.responders.get(self.schema or "")

    @cached_property
    def fields(self) -> Fields:
        """The fields of the rows."""
        assert self.schema
        return fields_of(self.contract, self.schema)

    @cached_property
    def lifecycle(self) -> Lifecycle | None:
        """How the rows change in time; None if they do not, or it is not known."""
        if self.endpoint is None or self.fields.resource is None:
            return None
        return self.fields.resource.lifecycle

    @cached_property
    def rows(self) -> list[Any]:
        """The rows of a page, whatever they are, or the body itself where it is the one row."""
        if not self.is_list:
            return [self.body] if isinstance(self.body, dict) else []
        rows = self.body.get("results") if isinstance(self.body, dict) else None
        return rows if isinstance(rows, list) else []

    @cached_property
    def is_list(self) -> bool:
        """Whether the body should be a page."""
        return self.endpoint is not None and self.endpoint.kind is Kind.LIST

    def keys(self, index: int, *more: str) -> tuple[str | int, ...]:
        """Return where the row of an index is, or a field of it."""
        return ("results", index, *more) if self.is_list else more

    def finding(
        self,
        rule: str,
        *keys: str | int,
        check: str | None = None,
        expected: Any = None,
        actual: Any = NOTHING,
        mark: Mark | None = None,
        grade: Level | None = None,
    ) -> Finding:
        """Return what a rule says about a place in the body; mark and grade are the rule's unless given."""
        return Finding(
            rule=rule,
            mark=mark or self._mark(rule),
            place=replace(place_of(self.exchange, self.contract), pointer=pointer(keys)),
            check=check or rule,
            expected=expected,
            actual=None if actual is NOTHING else excerpt(actual),
            grade=grade or (None if mark else GRADES.get(rule)),
        )

    def _mark(self, rule: str) -> Mark:
        known = rules_of(self.contract).get(rule)
        return (
            Mark.ASSUMED if known is None else known.mark
        )  # a rule that is not the contract's is not judged

    @cached_property
    def page(self) -> Page | None:
        """The numbers of the page; None if it is none, they are none, or the request is not clear."""
        paging = self.endpoint.paging if self.endpoint else None
        if self.request is None or paging is None or not self.is_clear or not isinstance(self.body, dict):
            return None
        return read_page(self.request, self.body, paging, self.options.max_page_size)


def place_of(record: Exchange | BadRecord, contract: Contract) -> Place:
    """Given a record, return its place; what may be secret in its URL is not in it."""
    return Place(
        source=record.source,
        entry=record.entry,
        line=record.line,
        method=getattr(record, "method", None),
        url=None if record.url is None else shown(record.url, contract),
    )
