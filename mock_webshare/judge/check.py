"""Examining: what one record comes to by itself, before it is held against others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from mock_webshare.errors import UnreadableInput
from mock_webshare.exchange.model import BadRecord, Exchange
from mock_webshare.exchange.redaction.redactor import Redactor
from mock_webshare.exchange.request import read_url
from mock_webshare.judge import rules
from mock_webshare.judge.body import strict_json
from mock_webshare.judge.body.line_numbers import Locator
from mock_webshare.judge.discretion import discreet
from mock_webshare.judge.history.observation import observe
from mock_webshare.judge.model.context import RuleContext, place_of
from mock_webshare.judge.model.finding import Finding, printable, shorten
from mock_webshare.judge.model.rulebook import GRADES, rules_of
from mock_webshare.judge.model.shapes import recognise
from mock_webshare.judge.rules.status import OK, SERVER_ERRORS, schema_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mock_webshare.contract.model import Contract
    from mock_webshare.exchange.request import RecordedRequest
    from mock_webshare.judge.history.observation import Observation
    from mock_webshare.judge.model.options import Options

OTHER_ENDPOINT = "another endpoint"
OTHER_HOST = "another host"
PREFLIGHT = "asked by a browser for itself"
OTHER_SCHEME = "a redirection to another scheme"
NO_RESPONSE = "no response"
SERVER_ERROR = "a server error"
UNKNOWN_BODY = "no body recorded"
REDIRECTIONS = frozenset({301, 302, 307, 308})


class Examined(NamedTuple):
    """What one exchange came to: findings, and what it showed of rows; or why it was skipped."""

    source: str
    """The file."""
    findings: tuple[Finding, ...] = ()
    observation: Observation | None = None
    skipped: str | None = None
    is_judged: bool = False
    authorization: str | None = None
    """What was sent as such, which no report tells. None: nothing that is known."""


def examine(record: Exchange | BadRecord | UnreadableInput, options: Options) -> Examined | UnreadableInput:
    """Given a record, hold it against all rules that need no other one."""
    if isinstance(record, Exchange):
        examined = _examine_exchange(record, options)
        if examined.findings:
            examined = _discreet(examined, record)
        return examined._replace(authorization=record.request_header("authorization"))
    return _examine_malformed(record, options) if isinstance(record, BadRecord) else record


def _discreet(examined: Examined, exchange: Exchange) -> Examined:
    """Return what an exchange came to without its secrets: a body may repeat the key, and a URL hold it."""
    redactor = Redactor()
    redactor.learn(exchange)
    return examined._replace(findings=discreet(examined.findings, redactor))


def _examine_exchange(exchange: Exchange, options: Options) -> Examined:
    if exchange.url is None:
        return _examine_body(exchange, options)
    request = read_url(exchange.url, options.contract)
    if reason := _reason_to_skip(exchange, request, options):
        return Examined(exchange.source, skipped=reason)
    assert request
    context = RuleContext(exchange=exchange, options=options, request=request)
    schema = schema_of(request.endpoint, context)
    if schema is None and not (context.method == "OPTIONS" and exchange.status == OK):
        return Examined(exchange.source, tuple(rules.check(context)), is_judged=True)
    if not exchange.is_body_known:
        return Examined(exchange.source, tuple(rules.check_without_body(context)), skipped=UNKNOWN_BODY)
    return _examine_answer(exchange, request, options, schema)


def _reason_to_skip(exchange: Exchange, request: RecordedRequest | None, options: Options) -> str | None:
    if request is None:
        return OTHER_ENDPOINT
    if not _is_host(request, options):
        return OTHER_HOST
    if exchange.status is None:
        return NO_RESPONSE
    if exchange.method == "OPTIONS" and exchange.request_header("access-control-request-method"):
        return PREFLIGHT
    if exchange.status in REDIRECTIONS and _is_to_another_scheme(exchange, request, options.contract):
        return OTHER_SCHEME
    return SERVER_ERROR if exchange.status in SERVER_ERRORS else None


def _is_host(request: RecordedRequest, options: Options) -> bool:
    names = {request.host, request.host.rpartition(":")[0] or request.host}
    return not options.hosts or not names.isdisjoint(options.hosts)


def _is_to_another_scheme(exchange: Exchange, request: RecordedRequest, contract: Contract) -> bool:
    """Whether a client was sent to the same place by another scheme: by itself, or by what is in front."""
    there = read_url(exchange.header("location") or "", contract)
    return (
        there is not None
        and (there.host, there.path, there.query) == (request.host, request.path, request.query)
        and there.origin != request.origin
    )


def _examine_body(exchange: Exchange, options: Options) -> Examined:
    document = strict_json.parse(exchange.body, place_of(exchange, options.contract))
    if document.findings:
        return Examined(exchange.source, tuple(_with_lines(exchange.body, document.findings)))
    schema = options.schema or recognise(document.value, options.contract)
    context = RuleContext(exchange=exchange, options=options, schema=schema, body=document.value)
    return Examined(exchange.source, tuple(_with_lines(exchange.body, rules.check(context))), is_judged=True)


def _with_lines(body: bytes, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Given findings in a body, yield them with the line to which their pointers point, if it is a file's."""
    locator = None
    for finding in findings:
        place = finding.place
        if place.pointer and place.is_file and place.line is None:
            locator = locator or Locator(body.decode())
            place = replace(place, line=locator.line(place.pointer))
        yield replace(finding, place=place)


def _examine_answer(
    exchange: Exchange, request: RecordedRequest, options: Options, schema: str | None
) -> Examined:
    content_type = exchange.header("content-type") or ""
    if exchange.status != OK and content_type.startswith("text/html"):
        # A page of whatever stands before the service: that it is no JSON is said once.
        context = RuleContext(exchange=exchange, options=options, request=request, schema=schema)
        return Examined(exchange.source, tuple(rules.check_without_body(context)), is_judged=True)
    document = strict_json.parse(exchange.body, place_of(exchange, options.contract))
    context = RuleContext(
        exchange=exchange, options=options, request=request, schema=schema, body=document.value
    )
    if document.findings:
        return Examined(
            exchange.source, (*document.findings, *rules.check_without_body(context)), is_judged=True
        )
    return Examined(exchange.source, tuple(rules.check(context)), observe(context), is_judged=True)


def _examine_malformed(record: BadRecord, options: Options) -> Examined:
    """Given a record that is no exchange, return the finding that it is, if it concerns us."""
    if record.url is not None:
        request = read_url(record.url, options.contract)
        if request is None:
            return Examined(record.source, skipped=OTHER_ENDPOINT)
        if not _is_host(request, options):
            return Examined(record.source, skipped=OTHER_HOST)
    rule = rules_of(options.contract)["record.malformed"]
    place, actual = place_of(record, options.contract), printable(shorten(record.problem))
    finding = Finding(
        rule=rule.id, mark=rule.mark, place=place, check=rule.id, actual=actual, grade=GRADES[rule.id]
    )
    return Examined(record.source, (finding,))
