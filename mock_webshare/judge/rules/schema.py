"""Schema: is a body valid, and does it have unknown fields?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from mock_webshare.contract.model import Contract, Mark
from mock_webshare.judge.model.context import RuleContext
from mock_webshare.judge.model.finding import Finding, Level
from mock_webshare.judge.model.shapes import nearest_shapes

if TYPE_CHECKING:
    from jsonschema import ValidationError

_CACHED = 64  # schemas
MOST_ERRORS = 1000
"""Schema violations that are reported for one body."""


def has_known_shape(context: RuleContext) -> Iterator[Finding]:
    """A body stored without its request has a known shape, or its schema is given as an option."""
    if context.schema is not None or context.request is not None:
        return
    signs = {shape.schema: shape.sign for shape in nearest_shapes(context.body, context.contract)}
    yield context.finding("body.shape", expected=signs, actual=context.body)


def has_due_kind(context: RuleContext) -> Iterator[Finding]:
    """A body and its rows are of the kind that is due, not an error or another object."""
    if context.kind_mismatch is None:
        return
    due, other = context.kind_mismatch
    root = context.contract.schemas.document(due)
    keys = () if due == context.schema or context.is_array else ("results",)
    yield replace(
        context.finding(root["x-rule"], *keys, check="kind", mark=Mark(root["x-provenance"])),
        expected={"kind": due, "status": context.exchange.status},
        actual=other,
    )


def keeps_schema(context: RuleContext) -> Iterator[Finding]:
    """A body is valid against its schema."""
    if context.schema is None or context.is_valid:
        return
    # Each error is an object of several kilobytes, so no more are kept than are reported.
    errors = [*islice(_errors(context, context.body), MOST_ERRORS)]
    seen = {tuple(_keys(error)) for error in errors}
    further = (each for each in _errors(context, context.plain_body) if tuple(_keys(each)) not in seen)
    errors += islice(further, MOST_ERRORS - len(errors))
    for error in sorted(errors, key=_keys):
        yield _finding(context, error)


def _errors(context: RuleContext, body: Any) -> Iterator[ValidationError]:
    """Yield what the schema refuses in a body."""
    assert context.schema
    errors = context.contract.schemas.validator(context.schema).iter_errors(body)
    return (each for each in errors if not _is_whole(each) and not _is_of_the_older_edition(context, each))


def is_of_this_edition(context: RuleContext) -> Iterator[Finding]:
    """A row has the fields that a later edition of the documentation added."""
    later = context.fields.resource.later if context.endpoint else ()
    for index, row in context.objects if later else ():
        if _lacks_later_fields(context, row):
            expected = sorted(later)
            yield context.finding("object.older-edition", *context.keys(index), expected=expected)


def has_known_fields(context: RuleContext) -> Iterator[Finding]:
    """A body has only fields that its schema knows."""
    if context.schema is None or context.options.unknown_fields == "ignore":
        return
    fixed_level = Level.ERROR if context.options.unknown_fields == "forbid" else Level.INFO
    for keys, each, known in _objects(context, context.schema):
        if known.issuperset(each):  # the usual case, decided fast
            continue
        for name in each:
            if name not in known:
                yield context.finding(
                    "object.new-fields", *keys, name, actual=each[name], fixed_level=fixed_level
                )


@lru_cache(_CACHED)
def _known_fields(contract: Contract, schema: str) -> frozenset[str] | None:
    properties = contract.schemas.document(schema).get("properties")
    return None if properties is None else frozenset(properties)


def _objects(
    context: RuleContext, schema: str
) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any], frozenset[str]]]:
    """Yield the body and its rows, with their keys and the fields of their schema."""
    known = _known_fields(context.contract, schema)
    if known is not None and isinstance(context.body, dict):
        yield (), context.body, known
    if context.is_list or context.is_array:
        yield from ((context.keys(index), row, context.fields.known) for index, row in context.objects)


def _lacks_later_fields(context: RuleContext, row: Any) -> bool:
    """Whether a row has the first field of `Endpoint.signs`, but no field of the later edition."""
    if context.endpoint is None or not isinstance(row, dict):
        return False
    later, signs = context.fields.resource.later, context.endpoint.signs
    return bool(later) and later.isdisjoint(row) and all(sign in row for sign in signs[:1])


def _is_of_the_older_edition(context: RuleContext, error: ValidationError) -> bool:
    """Whether an error is a missing later field, which `is_of_this_edition` reports once a row."""
    is_older = error.validator == "required" and _lacks_later_fields(context, error.instance)
    return is_older and _missing(error) in context.fields.resource.later


def _is_whole(error: ValidationError) -> bool:
    """Whether a number like `1.0` was rejected as an integer.

    In JSON Schema, `1.0` is an integer. jsonschema knows this of a float, but not of a `Decimal`, the type as
    which we read it.
    """
    value, wanted = error.instance, error.validator_value
    is_about_integers = error.validator == "type" and "integer" in cast("str | list[str]", wanted)
    return is_about_integers and isinstance(value, Decimal) and value == value.to_integral_value()


def _keys(error: ValidationError) -> list[Any]:
    return list(error.absolute_path)


def _finding(context: RuleContext, error: ValidationError) -> Finding:
    from jsonschema.exceptions import best_match

    # If an `anyOf` fails, this is the error in the branch that fits best.
    leaf = best_match([error]) or error
    rule, mark = _annotation(leaf, "x-rule"), Mark(_annotation(leaf, "x-provenance"))
    if leaf.validator == "required":
        return context.finding(rule, *_keys(leaf), _missing(leaf), check="required", mark=mark)
    check, expected, actual = str(leaf.validator), leaf.validator_value, leaf.instance
    return context.finding(rule, *_keys(leaf), check=check, expected=expected, actual=actual, mark=mark)


def _missing(error: ValidationError) -> str:
    """Return the field that a body lacks: only the message of the error names it."""
    names = cast("list[str]", error.validator_value)
    return next(name for name in names if error.message.startswith(repr(name)))


def _annotation(error: ValidationError, keyword: str) -> str:
    """Return the value of a keyword in the nearest schema around an error."""
    around: Any = error
    while keyword not in around.schema:
        around = around.parent
    return str(around.schema[keyword])
