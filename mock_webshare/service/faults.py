"""Faults: errors, delays and broken connections, and which requests they strike.

A fault is a JSON object with one action and the conditions under which it strikes::

    {"status": 503, "path": "/api/v2/referral/credit/", "query": {"page": "2"}, "times": 2}

Keys that WireMock has too are spelled as in WireMock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from random import Random
from typing import Any, NamedTuple

from mock_webshare.contract import messages
from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.model import Contract, Field
from mock_webshare.contract.paths import is_pattern_known, nearest_path
from mock_webshare.errors import Conflict, DataError, UsageError, format_value, pluralize
from mock_webshare.service.data.fields import (
    FieldType,
    choice,
    closed,
    integer,
    is_json,
    pattern,
    read_object,
    record,
    string,
)
from mock_webshare.service.framework.request import Request
from mock_webshare.service.reasons import Reason
from mock_webshare.service.settings import RATE, RateLimit
from mock_webshare.service.world.clock import Throttle

MAX_FAULTS = 100
_MOST_INITIAL = 50  # faults in every world from the start, besides those of its scenario
MAX_DELAY = 600_000
"""Milliseconds that one fault may delay a response."""
_MAX_TIMES = 10**9
_MAX_TEXT = 2000
_MAX_JSON, _MAX_DEPTH = 10_000, 20
_MAX_PARAMETERS = 100
_MAX_NAME = 100  # characters of an unknown key for which a similar one is looked for
_WORD = re.compile("[A-Z]?[a-z]{3,40}")
_MAX_BODY = 100_000
_MAX_HEADERS = 100
_FRAMING = ("connection", "content-length", "transfer-encoding")
_BODYLESS = (204, 205, 304)
_FAULT_BYTES = 4096  # of a fault besides its texts; its random number generator takes most of them

CONNECTION_FAULTS = (
    "CONNECTION_RESET_BY_PEER",
    "CONNECTION_RESET_AFTER_HEADERS",
    "EMPTY_RESPONSE",
    "MALFORMED_RESPONSE_CHUNK",
    "RANDOM_DATA_THEN_CLOSE",
    "TRUNCATED_BODY",
    "MALFORMED_JSON",
)
DRIFTS = ("removed", "renamed", "retyped", "added", "enum", "null")
MOVES = ("inserted", "removed")
BROKEN_PAGES = ("unlinked", "short", "empty", "miscounted", "reversed", "repeated")
FORBIDDEN_CODES = tuple(messages.FORBIDDEN)


def _is_query(value: Any) -> bool:
    if not isinstance(value, dict) or len(value) > _MAX_PARAMETERS:
        return False
    return all(map(string(0, _MAX_TEXT).is_allowed, [*value, *_as_texts(value).values()]))


def _as_texts(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with numbers as texts, as requests and headers have them: `{"page": "2"}` for a 2."""
    return {name: str(value) if type(value) in (int, float) else value for name, value in values.items()}


_NUMBER = {"type": "number"}


def _is_small_json(value: Any) -> bool:
    if not is_json(value) or len(json.dumps(value, ensure_ascii=False).encode()) > _MAX_JSON:
        return False
    return _is_shallow(value, _MAX_DEPTH)


def _is_shallow(value: Any, depth: int) -> bool:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return depth >= 0 and all(_is_shallow(each, depth - 1) for each in inside)


def _in_any_case(names: Iterable[str]) -> str:
    """Return a regular expression of names in any letter case, for which JSON Schema has no flag."""
    return "|".join(re.sub("[a-z]", lambda it: f"[{it[0].upper()}{it[0]}]", name) for name in names)


def _is_header(pair: tuple[Any, Any]) -> bool:
    name, value = pair
    is_name = _HEADER_NAME.is_allowed(name) and name.lower() not in _FRAMING
    return is_name and (type(value) in (int, float) or _HEADER.is_allowed(value))


_HEADER_NAME = pattern(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}", "the name of a header")
_MILLISECONDS = integer(0, MAX_DELAY)
_TEXT = string(1, _MAX_TEXT)
_FIELD = string(1, 100)
_JSON = FieldType(
    _is_small_json, f"any JSON value of up to {_MAX_JSON} bytes, nested up to {_MAX_DEPTH} deep"
)
_UNIFORM = record(
    f'{{"type": "uniform", "lower": MS, "upper": MS}}, up to {MAX_DELAY}',
    type=choice("uniform"),
    lower=_MILLISECONDS,
    upper=_MILLISECONDS,
)
_DRIBBLE = record(
    '{"numberOfChunks": 1 to 1000, "totalDuration": MS}',
    numberOfChunks=integer(1, 1000),
    totalDuration=_MILLISECONDS,
)

_HEADER = pattern("[ -~]{0,2000}", "the value of a header, in printable ASCII")
_HEADERS = FieldType(
    lambda value: (
        isinstance(value, dict) and len(value) <= _MAX_HEADERS and all(map(_is_header, value.items()))
    ),
    f"an object of up to {_MAX_HEADERS} headers, each with a text or a number, without {', '.join(_FRAMING)}",
    _as_texts,
    {
        "type": "object",
        "maxProperties": _MAX_HEADERS,
        "propertyNames": {**_HEADER_NAME.schema, "not": {"pattern": f"^({_in_any_case(_FRAMING)})$"}},
        "additionalProperties": {"anyOf": [_HEADER.schema, _NUMBER]},
    },
)
_BODY = FieldType(
    lambda value: is_json(value) and len(json.dumps(value)) <= _MAX_BODY,
    f"any JSON of up to {_MAX_BODY} bytes",
)

# Action, type of its value, and the options that may go with it.
ACTIONS: Mapping[str, tuple[FieldType, Mapping[str, FieldType]]] = {
    "status": (
        integer(400, 599, "a whole number from 400 to 599; for another status, use the action respond "
                          "instead"),
        {"code": choice(*FORBIDDEN_CODES), "detail": _TEXT, "retryAfter": integer(0, 86_400),
         "form": choice("json", "html", "proxy")},
    ),
    "respond": (integer(200, 599), {"headers": _HEADERS, "jsonBody": _BODY, "body": string(0, _MAX_BODY)}),
    "throttle": (pattern(RATE, "a rate like 240/min"), {"clock": choice("real", "world")}),
    "fixedDelayMilliseconds": (_MILLISECONDS, {}),
    "delayDistribution": (_UNIFORM, {}),
    "chunkedDribbleDelay": (_DRIBBLE, {}),
    "fault": (choice(*CONNECTION_FAULTS), {}),
    "contentType": (pattern("[ -~]{1,200}", "the value of a header, in printable ASCII"), {}),
    "drift": (choice(*DRIFTS), {"field": _FIELD, "to": _JSON}),
    "pages": (choice(*MOVES, *BROKEN_PAGES), {"rows": integer(1, 1000)}),
}  # fmt: skip
_LARGE = ("jsonBody", "body")
_WITH_BODY = ACTIONS["respond"][0]._replace(
    schema={**ACTIONS["respond"][0].schema, "not": {"enum": list(_BODYLESS)}}
)
"""The statuses of responses that may have a body."""
RESPONDING = ("status", "respond", "throttle")
"""The actions that respond instead of the service."""

_CONDITIONS: Mapping[str, FieldType] = {
    "method": pattern("[A-Z]{1,32}", "a method like GET"),
    "path": pattern(
        rf"[/*][\s\S]{{0,{_MAX_TEXT - 1}}}",
        f"a path that begins with /, of up to {_MAX_TEXT} characters; * stands for any characters",
    ),
    "query": FieldType(
        _is_query,
        f"an object of up to {_MAX_PARAMETERS} parameters, each with a text or a number",
        _as_texts,
        {
            "type": "object",
            "maxProperties": _MAX_PARAMETERS,
            "propertyNames": string(0, _MAX_TEXT).schema,
            "additionalProperties": {"anyOf": [string(0, _MAX_TEXT).schema, _NUMBER]},
        },
    ),
    "times": integer(1, _MAX_TIMES),
    "after": integer(0, _MAX_TIMES),
    "probability": FieldType(
        lambda value: type(value) in (int, float) and 0 <= value <= 1,
        "a number from 0 to 1",
        schema={"type": "number", "minimum": 0, "maximum": 1},
    ),
    "seed": integer(-(2**63), 2**63 - 1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One action (`status`, `fault`, …), its options, and when it strikes."""

    action: str
    value: Any
    options: Mapping[str, Any] = field(default_factory=dict)
    method: str | None = None  # None: any
    path: str | None = None  # None: any; `*` stands for any characters
    query: Mapping[str, str] = field(default_factory=dict)  # required parameters and their values
    times: int | None = None  # how often it strikes; None: every time
    after: int = 0  # how many matching requests pass first
    probability: float = 1.0  # of a strike, for each matching request
    seed: int = 0  # of the random numbers: the same requests are struck in each run

    @property
    def is_response(self) -> bool:
        return self.action in RESPONDING

    def wire(self) -> dict[str, Any]:
        """Return the fault as the JSON object that `parse` reads, without default values."""
        default = Fault(action=self.action, value=self.value)
        conditions = {name: getattr(self, name) for name in _CONDITIONS}
        given = {name: value for name, value in conditions.items() if value != getattr(default, name)}
        return {self.action: self.value, **self.options, **given}


def parse(document: Any, contract: Contract = WEBSHARE) -> Fault:
    """Parse a fault from JSON data; raise `DataError` with the pointer to a bad value."""
    if not isinstance(document, dict):
        raise DataError.invalid("fault", "", document, "an object with one action")
    _require_known(document)
    actions = [name for name in document if name in ACTIONS]
    if len(actions) != 1:
        found = " and ".join(actions) or "none"
        raise DataError("fault", "", f"needs one action, has {found}; actions: {', '.join(ACTIONS)}")
    action = actions[0]
    for name, value in document.items():
        if name not in _LARGE and not _JSON.is_allowed(value):
            raise DataError.invalid("fault", f"/{name}", value, _JSON.allowed)
    value_type, options = ACTIONS[action]
    known = {action: value_type, **options, **_CONDITIONS}
    values = read_object("fault", "", document, known, optional=True)
    fault = Fault(
        action=action,
        value=values[action],
        options={name: values[name] for name in options if name in values},
        **{name: values[name] for name in _CONDITIONS if name in values},
    )
    _check_options(fault, contract)
    return fault


def read_texts(faults: object, contract: Contract) -> tuple[str, ...]:
    """Return each fault as JSON; an item of `faults` is an object, or JSON of an object or of an array.

    Raise `UsageError` if a fault, or the number of faults, is not allowed.
    """
    if not isinstance(faults, tuple | list):
        raise UsageError.invalid("faults", faults, 'a tuple of faults, like ({"status": 503},)')
    documents = [document for each in faults for document in _documents(each)]
    if len(documents) > _MOST_INITIAL:
        raise UsageError(f"{len(documents)} faults are not allowed; allowed: up to {_MOST_INITIAL}")
    try:
        return tuple(json.dumps(parse(each, contract).wire()) for each in documents)
    except DataError as error:
        raise UsageError(str(error)) from error


def _documents(fault: object) -> list[Any]:
    """Return the faults in an object, or in JSON of an object or of an array."""
    if not isinstance(fault, str):
        return [fault]
    try:
        document = json.loads(fault)
    except (ValueError, RecursionError):
        raise UsageError.invalid(
            "fault", fault, 'a fault as JSON, like {"status": 503, "times": 1}'
        ) from None
    return document if isinstance(document, list) else [document]


_KNOWN = tuple(
    dict.fromkeys((*ACTIONS, *_CONDITIONS, *(name for _, names in ACTIONS.values() for name in names)))
)
"""All keys that some fault can have."""


def _require_known(document: Mapping[str, Any]) -> None:
    """Raise `DataError` for a key that no fault has, with the key that is probably meant."""
    for name in document:
        if name not in _KNOWN:
            meant = _meant(name)
            question = f"did you mean {meant}? " if meant else ""
            raise DataError("fault", "", f"unknown key {name!r:.80}; {question}allowed: {', '.join(_KNOWN)}")


def _meant(name: str) -> str | None:
    """Return the known key most like an unknown one, else the first that contains a word of it, else None.

    `delay` means `fixedDelayMilliseconds`, though shorter keys are more like `delay`.
    """
    known = {each.lower(): each for each in _KNOWN}
    if found := get_close_matches(name[:_MAX_NAME].lower(), known, n=1):
        return known[found[0]]
    words = [word.lower() for word in _WORD.findall(name[:_MAX_NAME])]
    return next((known[each] for each in known if any(word in each for word in words)), None)


def path_warning(fault: Fault, contract: Contract) -> str | None:
    """Return a warning, with the nearest path, if no path of the service matches that of a fault, or None."""
    if fault.path is None or is_pattern_known(contract, fault.path):
        return None
    nearest = nearest_path(contract, fault.path, 0.0)
    return f"the service has no path that fits {format_value(fault.path)}; the nearest is {nearest}"


def _check_options(fault: Fault, contract: Contract) -> None:
    if fault.action == "drift":
        _check_drift(fault, contract)
    if fault.action == "respond":
        _check_body(fault)
    if "rows" in fault.options and fault.value not in MOVES:
        raise DataError.invalid(
            "fault", "/rows", fault.options["rows"], f"rows with {' and '.join(MOVES)} only"
        )
    if "code" in fault.options and fault.value != 403:
        raise DataError.invalid("fault", "/code", fault.options["code"], "a code with status 403 only")
    if fault.options.get("form", "json") != "json":
        for name in ("code", "detail"):
            if name in fault.options:
                raise DataError.invalid("fault", f"/{name}", fault.options[name], f"{name} in JSON only")


def _check_body(fault: Fault) -> None:
    bodies = [name for name in _LARGE if name in fault.options]
    if bodies and fault.value in _BODYLESS:
        allowed = f"no body with status {fault.value}"
        raise DataError.invalid("fault", f"/{bodies[0]}", fault.options[bodies[0]], allowed)
    if len(bodies) > 1:
        raise DataError("fault", "", "has jsonBody and body; needed: at most one of them")


def _check_drift(fault: Fault, contract: Contract) -> None:
    types = _drift_types(fault.value, fault.options.get("field"), contract)
    if missing := [name for name in types if name not in fault.options]:
        needed = " and ".join(types)
        raise DataError("fault", "", f"lacks {missing[0]!r}; drift {fault.value!r} needs {needed}")
    for name, value in fault.options.items():
        allowed = types[name].allowed if name in types else f"nothing with drift {fault.value!r}"
        if name not in types or not types[name].is_allowed(value):
            raise DataError.invalid("fault", f"/{name}", value, allowed)


def schemas(contract: Contract) -> Iterator[dict[str, Any]]:
    """Yield JSON Schemas of the faults that `parse` accepts: one for each set of keys that go together."""
    for needed, options in _shapes(contract):
        types = {**needed, **options, **_CONDITIONS}
        yield closed({name: each.schema for name, each in types.items()}, tuple(needed))


def _shapes(contract: Contract) -> Iterator[tuple[Mapping[str, FieldType], Mapping[str, FieldType]]]:
    """Yield the needed keys and the options that go together; `_check_options` refuses other combinations."""
    for action, (value, options) in ACTIONS.items():
        match action:
            case "status":
                retry = {"retryAfter": options["retryAfter"]}
                text = {**retry, "detail": options["detail"], "form": choice("json")}
                yield {action: value}, text
                yield {action: integer(403, 403), "code": options["code"]}, text
                yield {action: value, "form": choice("html", "proxy")}, retry
            case "respond":
                headers = {"headers": options["headers"]}
                yield {action: value}, headers
                yield from (({action: _WITH_BODY, body: options[body]}, headers) for body in _LARGE)
            case "pages":
                yield {action: choice(*MOVES)}, options
                yield {action: choice(*BROKEN_PAGES)}, {}
            case "drift":
                yield from ((shape, {}) for drift in DRIFTS for shape in _drift_shapes(drift, contract))
            case _:
                yield {action: value}, options


def _drift_shapes(drift: str, contract: Contract) -> Iterator[Mapping[str, FieldType]]:
    names = [each.name for each in _drifting_fields(drift, contract)] if drift == "enum" else [None]
    for name in dict.fromkeys(names):
        types = _drift_types(drift, name, contract)
        yield {"drift": choice(drift), **types, **({"field": choice(name)} if name else {})}


def _served_fields(contract: Contract) -> Sequence[Field]:
    """Return the fields of all rows, then those of pages."""
    rows, pages = contract.served, contract.pages
    return [field for fields in (*rows.values(), *pages.values()) for field in fields]


def _drifting_fields(drift: str, contract: Contract) -> Sequence[Field]:
    """Return the fields whose drift breaks the contract."""
    is_breaking: Callable[[Field], bool] = _BREAKING.get(drift, lambda field: True)
    return [field for field in _served_fields(contract) if is_breaking(field)]


def _drift_types(drift: str, name: Any, contract: Contract) -> Mapping[str, FieldType]:
    """Return the types of `field` and `to` with which a drift breaks the contract; `name` is the field."""
    fields = _served_fields(contract)
    known = choice(*dict.fromkeys(each.name for each in _drifting_fields(drift, contract)))
    match drift:
        case "added":
            return {"field": _new_field(fields), "to": _JSON}
        case "renamed":
            return {"field": known, "to": _new_field(fields)}
        case "enum":
            return {"field": known, "to": _new_choice(name, fields)}
    return {"field": known}


_BREAKING: Mapping[str, Callable[[Field], bool]] = {
    "enum": lambda field: bool(field.choices),
    "null": lambda field: not field.is_nullable,
}
"""Whether this drift of a field breaks the contract; the drifts that are not listed always do."""


def _new_field(fields: Sequence[Field]) -> FieldType:
    names = [each.name for each in fields]
    return FieldType(
        lambda value: _FIELD.is_allowed(value) and value not in names,
        f"{_FIELD.allowed} that no row has",
        schema={**_FIELD.schema, "not": {"enum": list(dict.fromkeys(names))}},
    )


def _new_choice(name: Any, fields: Sequence[Field]) -> FieldType:
    known = list(dict.fromkeys(value for each in fields if each.name == name for value in each.choices))
    allowed = f"a value other than those that {name} has: {', '.join(map(str, known))}"
    return FieldType(lambda value: value not in known, allowed, schema={"not": {"enum": known}})


class Strike(NamedTuple):
    """A fault that strikes a request; `seconds` is the delay of the response, or the time until a retry."""

    fault: Fault
    request: Request
    seconds: float = 0.0
    is_preferred: bool = False
    """Whether the `Prefer` header of the request selected the fault."""
    number: int = 0
    """The id of the fault; 0 if the header selected it."""
    mutation: Mutation | None = None
    """The mutation that the fault belongs to; worlds do not list it. None: it is a fault of the world."""

    @property
    def reason(self) -> str:
        return Reason.PREFER if self.is_preferred else Reason.FAULT.of(self.number)


class ActiveFault:
    """A fault that is set; `seen` counts the requests that match it, `struck` those it was applied to."""

    def __init__(self, number: int, fault: Fault, warning: str | None = None) -> None:
        self.number = number
        self.fault = fault
        self.warning = warning
        self.seen = 0
        self.struck = 0
        self._chance = Random(fault.seed)  # noqa: S311  # reproducible on purpose
        rate = RateLimit.parse(fault.value) if fault.action == "throttle" else None
        self._throttle = Throttle(rate) if rate else None

    @property
    def size(self) -> int:
        """About how many bytes the fault takes."""
        return _FAULT_BYTES + len(json.dumps(self.fault.wire()))

    def wire(self) -> dict[str, Any]:
        """Return the fault as JSON data with `id`, `seen`, `struck`, and `warning` if it has one."""
        warning = {"warning": self.warning} if self.warning else {}
        return {"id": self.number, **self.fault.wire(), "seen": self.seen, "struck": self.struck, **warning}

    def strike(self, request: Request, seconds: Callable[[str], float]) -> Strike | None:
        """Count a request, and return the strike; None if the fault does not strike the request.

        `seconds(name)` returns the time of the clock `real` or `world`.
        """
        fault = self.fault
        if not _matches(fault, request):
            return None
        self.seen += 1
        if self.seen <= fault.after or (fault.times is not None and self.struck >= fault.times):
            return None
        if fault.probability < 1 and self._chance.random() >= fault.probability:
            return None
        taken = self._take(seconds)
        if taken is None:
            return None
        self.struck += 1
        return Strike(fault, request, taken, number=self.number)

    def _take(self, seconds: Callable[[str], float]) -> float | None:
        """Return the seconds of a strike; None if a throttle admits the request."""
        fault = self.fault
        if self._throttle:
            return self._throttle.admit(seconds(fault.options.get("clock", "real")))
        if fault.action == "fixedDelayMilliseconds":
            return float(fault.value) / 1000
        if fault.action == "delayDistribution":
            return self._chance.uniform(fault.value["lower"], fault.value["upper"]) / 1000
        return 0.0


class Mutation(NamedTuple):
    """A fault that is a property of the service: it is in every world, whatever a test arranges there.

    It strikes requests to one endpoint. If it `yields`, it spares worlds that have faults of their own.
    """

    endpoint: str  # its path in the contract
    fault: Fault
    yields: bool = False
    note_change: Callable[[], object] = lambda: None
    """Called when the mutation has changed a response."""


class ActiveMutation:
    """A mutation in one world: it counts the requests of this world only, and a reset does not restart it."""

    def __init__(self, mutation: Mutation) -> None:
        self.mutation = mutation
        self._active = ActiveFault(0, mutation.fault)

    def strike(self, request: Request, *, has_faults: bool, has_response: bool) -> list[Strike]:
        """Return the strike on a request, if there is one."""
        mutation = self.mutation
        is_spared = (has_faults and mutation.yields) or (has_response and mutation.fault.is_response)
        if is_spared or request.endpoint is None or request.endpoint.path != mutation.endpoint:
            return []
        strike = self._active.strike(request, lambda clock: 0.0)
        return [strike._replace(mutation=mutation)] if strike else []


def _matches(fault: Fault, request: Request) -> bool:
    return (
        fault.method in (None, request.method)
        and (fault.path is None or fnmatchcase(request.path, _literal(fault.path)))
        and all(request.sent_params.get(name) == value for name, value in fault.query.items())
    )


def _literal(pattern: str) -> str:
    """Return a pattern in which only `*` has a meaning."""
    return pattern.replace("[", "[[]").replace("?", "[?]")


class Faults:
    """The faults of one world, in the order in which they were set."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._number = 0
        self._active: dict[int, ActiveFault] = {}
        for fault in faults:
            self.add(fault)

    def __len__(self) -> int:
        return len(self._active)

    def __iter__(self) -> Iterator[ActiveFault]:
        return iter(self._active.values())

    def add(self, fault: Fault, warning: str | None = None) -> ActiveFault:
        """Add a fault, and return it with its number; raise `Conflict` if there are too many."""
        if len(self._active) >= MAX_FAULTS:
            raise Conflict(f"{MAX_FAULTS} faults are set already; remove some before you set another")
        self._number += 1
        added = self._active[self._number] = ActiveFault(self._number, fault, warning)
        return added

    def remove(self, number: int) -> bool:
        """Remove the fault with a number, and return whether it existed."""
        return self._active.pop(number, None) is not None

    def strike(
        self, request: Request, seconds: Callable[[str], float], *, has_response: bool = False
    ) -> list[Strike]:
        """Return the strikes of all faults on a request.

        If several faults would respond instead of the service, only the first of them strikes; none of them
        strikes if the request `has_response` already.
        """
        strikes: list[Strike] = []
        for each in self:
            if each.fault.is_response and has_response:
                continue
            if strike := each.strike(request, seconds):
                strikes.append(strike)
                has_response = has_response or each.fault.is_response
        return strikes


def not_struck(faults: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each fault that has not struck any request; `faults` are from `ActiveFault.wire`."""
    from mock_webshare.exchange.redaction.redactor import Redactor  # rarely needed

    return [Redactor().text(_idle_line(each)) for each in faults if not each["struck"]]


def _idle_line(fault: Mapping[str, Any]) -> str:
    shown = {name: value for name, value in fault.items() if name in ACTIONS or name in _CONDITIONS}
    matched = f"{pluralize(fault['seen'], 'request')} matched"
    return "; ".join([f"{format_value(shown)}: {matched}", *filter(None, [fault.get("warning")])])
