"""CheckResult: the findings in one record, whatever other records show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from mock_webshare.errors import UnreadableInput
from mock_webshare.exchange.line_numbers import Locator
from mock_webshare.exchange.model import BadRecord, Exchange, OtherFile
from mock_webshare.exchange.redaction.redactor import Redactor
from mock_webshare.exchange.request import RecordedRequest, read_int, read_url
from mock_webshare.judge import rules
from mock_webshare.judge.body import strict_json
from mock_webshare.judge.body.outline import outlined
from mock_webshare.judge.history.observation import Observation, observe
from mock_webshare.judge.model.context import RuleContext, place_of
from mock_webshare.judge.model.finding import Finding, Neighbours, Place, keys_of, pointer, printable, shorten
from mock_webshare.judge.model.options import Options
from mock_webshare.judge.model.rulebook import finding_of
from mock_webshare.judge.model.shapes import recognise
from mock_webshare.judge.rules.headers import has_content_type
from mock_webshare.judge.rules.status import SERVER_ERRORS, schema_of
from mock_webshare.judge.verdict import Step

OTHER_ENDPOINT = "another endpoint"
OTHER_HOST = "another host"
PREFLIGHT = "a preflight of a browser"
TO_HTTPS = "a redirection to https"
NO_RESPONSE = "no response"
OF_A_PROXY = "a response of a proxy"
SERVER_ERROR = "a server error"
UNKNOWN_BODY = "no body recorded"
REDIRECTIONS = frozenset({301, 302, 307, 308})
_OF_THE_FRAMEWORK = frozenset({400, 401, 404, 405, 406, 415})
"""The errors that follow from the request alone. 403 and 429 are not among them: proxies send them too."""


class CheckResult(NamedTuple):
    """The findings in one record and the rows that it showed, or the reason why it was skipped."""

    source: str
    """The file."""
    findings: tuple[Finding, ...] = ()
    observation: Observation | None = None
    skipped: str | None = None
    is_judged: bool = False
    authorization: str | None = None
    """The header `Authorization` of the request, which no report shows. None: not recorded."""
    record: Exchange | None = None
    """The exchange whose secrets the findings may contain. None: they contain none of its secrets."""
    step: Step | None = None
    """The exchange as a timeline shows it. None: no report has a timeline."""

    def without_secrets(self) -> CheckResult:
        """Return the result with redacted findings."""
        if self.record is None:
            return self
        return self._replace(findings=redacted(self.findings, redactor_of(self.record)), record=None)


def check_record(
    record: Exchange | BadRecord | OtherFile | UnreadableInput, options: Options
) -> CheckResult | OtherFile | UnreadableInput:
    """Apply the rules about one record; return an `OtherFile` or `UnreadableInput` unchanged."""
    if isinstance(record, Exchange):
        result = _check_exchange(record, options)
        if options.keeps_details:
            result = _with_details(result, record, options)
        return result._replace(
            authorization=record.request_header("authorization"), record=record if result.findings else None
        )
    return _check_malformed(record, options) if isinstance(record, BadRecord) else record


def _with_details(result: CheckResult, exchange: Exchange, options: Options) -> CheckResult:
    """Return a result with the details that only some reports show: the exchange, and lines of its body."""
    place = place_of(exchange, options.contract)
    if result.skipped in (OTHER_ENDPOINT, OTHER_HOST):  # traffic with other services is not shown
        place = replace(place, url=None)
    elif place.url is not None:
        place = redacted_place(place, redactor_of(exchange))
    step = Step(place, exchange.started, exchange.status, result.skipped)
    return result._replace(step=step, findings=tuple(outlined(result.findings, exchange.body)))


def _check_exchange(exchange: Exchange, options: Options) -> CheckResult:
    if exchange.url is None and exchange.status in SERVER_ERRORS:
        return CheckResult(exchange.source, skipped=SERVER_ERROR)
    if exchange.url is None and not (exchange.is_body_known and (exchange.body or exchange.status is None)):
        return CheckResult(exchange.source, skipped=UNKNOWN_BODY)
    if exchange.url is None:
        return _check_lone_body(exchange, options)
    request = read_url(exchange.url, options.contract)
    if reason := _reason_to_skip(exchange, request, options):
        return CheckResult(exchange.source, skipped=reason)
    assert request
    context = RuleContext(exchange=exchange, options=options, request=request)
    schema = schema_of(context)
    if schema is None and not (context.method == "OPTIONS" and exchange.status == 200):
        return CheckResult(exchange.source, tuple(rules.check(context)), is_judged=True)
    if not exchange.is_body_known:
        findings = tuple(rules.check(context, rules.WITHOUT_BODY))
        return CheckResult(exchange.source, findings, skipped=UNKNOWN_BODY)
    return _check_response(replace(context, schema=schema))


def _reason_to_skip(exchange: Exchange, request: RecordedRequest | None, options: Options) -> str | None:
    if reason := _reason_by_url(request, options):
        return reason
    assert request
    if exchange.status is None:
        return NO_RESPONSE
    if exchange.status in SERVER_ERRORS:
        return SERVER_ERROR
    if _is_another_path(exchange, request):
        return OTHER_ENDPOINT
    if exchange.method == "OPTIONS" and exchange.request_header("access-control-request-method"):
        return PREFLIGHT
    if exchange.status in REDIRECTIONS and _is_to_https(exchange, request, options):
        return TO_HTTPS
    return OF_A_PROXY if _is_of_a_proxy(exchange) else None


def _is_another_path(exchange: Exchange, request: RecordedRequest) -> bool:
    """Whether the path may belong to an endpoint that is not in the contract: its id is not a number.

    A 404 in JSON for such an id is judged, because that is the response of the service.
    """
    is_word = request.id is not None and read_int(request.id) is None
    return is_word and not (exchange.status == 404 and _is_json(exchange))


def _is_of_a_proxy(exchange: Exchange) -> bool:
    """Whether an error comes from a server before the service: a CDN, a gateway, a company's proxy."""
    is_likely = exchange.status not in _OF_THE_FRAMEWORK or exchange.headers is None
    is_error = is_likely and exchange.status in range(400, 500)
    return is_error and not (_is_json(exchange) and _is_of_the_framework(exchange))


def _is_of_the_framework(exchange: Exchange) -> bool:
    """Whether an error may come from the framework: it has `Allow`, a `detail`, or no recorded headers."""
    return not exchange.headers or exchange.header("allow") is not None or b'"detail"' in exchange.body


def _is_json(exchange: Exchange) -> bool:
    """Whether a response is meant as JSON, by its `Content-Type` or else by its body."""
    content_type = exchange.header("content-type")
    if content_type is None:
        return exchange.body.lstrip()[:1] in (b"{", b"[")
    return content_type.partition(";")[0].strip().lower() == "application/json"


def _reason_by_url(request: RecordedRequest | None, options: Options) -> str | None:
    if request is None:
        return OTHER_ENDPOINT
    return None if request.is_of(options.hosts) else OTHER_HOST


def _is_to_https(exchange: Exchange, request: RecordedRequest, options: Options) -> bool:
    """Whether the browser, or a proxy, redirected from HTTP to the same URL with HTTPS."""
    there = read_url(exchange.header("location") or "", options.contract)
    return (
        there is not None
        and (there.host, there.path, there.query) == (request.host, request.path, request.query)
        and (request.scheme, there.scheme) == ("http", "https")
    )


def _check_lone_body(exchange: Exchange, options: Options) -> CheckResult:
    document = strict_json.parse(exchange.body, place_of(exchange, options.contract))
    if not document.is_parsed:
        return CheckResult(exchange.source, document.findings)
    schema = options.schema or recognise(document.value, options.contract)
    context = RuleContext(exchange=exchange, options=options, schema=schema, body=document.value)
    findings = _with_lines(exchange.body, (*document.findings, *rules.check(context)))
    return CheckResult(exchange.source, tuple(findings), is_judged=schema is not None)


def _with_lines(body: bytes, findings: Iterable[Finding]) -> Iterator[Finding]:
    """Yield findings with the line of their pointer, if the body is a whole file."""
    locator = None
    for finding in findings:
        place = finding.place
        if place.pointer and place.is_file and place.line is None:
            locator = locator or Locator(strict_json.text_of(body))
            finding = replace(finding, place=replace(place, line=locator.line(place.pointer)))
        yield finding


def _check_response(context: RuleContext) -> CheckResult:
    exchange = context.exchange
    if exchange.status in _OF_THE_FRAMEWORK and not _is_json(exchange):
        # Whichever server sent the body: that it is not JSON explains all other findings.
        findings = tuple(rules.check(context, (has_content_type,)))
        return CheckResult(exchange.source, findings, is_judged=True)
    document = strict_json.parse(exchange.body, place_of(exchange, context.contract))
    if not document.is_parsed:
        findings = (*document.findings, *rules.check(context, rules.WITHOUT_BODY))
        return CheckResult(exchange.source, findings, is_judged=True)
    context = replace(context, body=document.value)
    findings = (*document.findings, *rules.check(context))
    observation = observe(context) if context.kind_mismatch is None else None
    return CheckResult(exchange.source, findings, observation, is_judged=True)


def _check_malformed(record: BadRecord, options: Options) -> CheckResult:
    """Return the finding that a record is not an exchange, or skip the record because of its URL."""
    if record.url is not None:
        request = read_url(record.url, options.contract)
        if reason := _reason_by_url(request, options):
            return CheckResult(record.source, skipped=reason)
    rule, place = "record.malformed", place_of(record, options.contract)
    finding = replace(finding_of(rule, place, options.contract), actual=printable(shorten(record.problem)))
    step = Step(place, None, None, None) if options.keeps_details else None
    return CheckResult(record.source, (finding,), step=step)


def redactor_of(exchange: Exchange) -> Redactor:
    """Return a redactor that knows the secrets of an exchange: a body may repeat the key."""
    redactor = Redactor()
    redactor.collect_secrets(exchange)
    return redactor


def redacted(findings: Iterable[Finding], redactor: Redactor) -> tuple[Finding, ...]:
    """Return findings with pseudonyms for the secrets that a redactor knows."""
    return tuple(
        replace(
            finding,
            place=redacted_place(finding.place, redactor),
            other=finding.other and redacted_place(finding.other, redactor),
            expected=_redacted_value(finding.expected, redactor),
            actual=finding.actual and redactor.text(finding.actual),
            outline=tuple(line._replace(text=redactor.text(line.text)) for line in finding.outline),
            neighbours=finding.neighbours and Neighbours(*map(redactor.text, finding.neighbours)),
        )
        for finding in findings
    )


def redacted_place(place: Place, redactor: Redactor) -> Place:
    """Return a place with pseudonyms for the secrets that a redactor knows."""
    return replace(
        place,
        pointer=redactor.text(pointer(map(redactor.text, keys_of(place.pointer)))),
        method=place.method and redactor.text(place.method),
        url=place.url and redactor.url(place.url),
    )


def _redacted_value(value: Any, redactor: Redactor) -> Any:
    match value:
        case str():
            return redactor.text(value)
        case list() | tuple():
            return [_redacted_value(each, redactor) for each in value]
        case dict():
            return {name: _redacted_value(each, redactor) for name, each in value.items()}
    return value
