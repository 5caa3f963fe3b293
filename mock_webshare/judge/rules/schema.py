"""Shape: does a body look as its schema says, and has it anything that the schema does not know?"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from mock_webshare.contract.model import Mark
from mock_webshare.judge.body.fast_schema import acceptor
from mock_webshare.judge.model.finding import Level
from mock_webshare.judge.model.shapes import shapes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema import ValidationError

    from mock_webshare.contract.model import Contract, Resource
    from mock_webshare.judge.model.context import RuleContext
    from mock_webshare.judge.model.finding import Finding

MOST_ERRORS = 1000
"""Breaches of its schema that are told of one body."""


def has_known_shape(context: RuleContext) -> Iterator[Finding]:
    """A body that was stored alone, and whose schema was not named, shows the sign of one."""
    if context.schema is not None or context.request is not None:
        return
    signs = {shape.schema: shape.sign for shape in shapes_of(context.contract)}
    yield context.finding("body.shape", expected=signs, actual=context.body)


def keeps_schema(context: RuleContext) -> Iterator[Finding]:
    """A body keeps every rule of its schema."""
    if context.schema is None or acceptor(context.contract.schemas, context.schema)(context.body):
        return
    errors = context.contract.schemas.validator(context.schema).iter_errors(context.body)
    grave = (each for each in errors if not _is_whole(each) and not _is_of_the_older_edition(context, each))
    # Each error is an object of several kilobytes, so no more are kept than are told.
    for error in sorted(islice(grave, MOST_ERRORS), key=_keys):
        yield _finding(context, error)


def is_of_this_edition(context: RuleContext) -> Iterator[Finding]:
    """A row has the fields that an earlier edition of the documentation did not have."""
    if context.endpoint is None:
        return
    for index, row in enumerate(context.rows):
        if _lacks_later_fields(context, row):
            expected = sorted(_resource(context).later)
            yield context.finding("object.older-edition", *context.keys(index), expected=expected)


def has_known_fields(context: RuleContext) -> Iterator[Finding]:
    """A body has no field that its schema does not know."""
    if context.schema is None or context.options.unknown_fields == "ignore":
        return
    grade = Level.ERROR if context.options.unknown_fields == "forbid" else Level.NEWS
    for keys, value in _unknown(context, _known_fields(context.contract, context.schema)):
        yield context.finding("object.new-fields", *keys, actual=value, grade=grade)


@lru_cache(64)
def _known_fields(contract: Contract, schema: str) -> frozenset[str] | None:
    properties = contract.schemas.document(schema).get("properties")
    return None if properties is None else frozenset(properties)


def _unknown(
    context: RuleContext, known: frozenset[str] | None
) -> Iterator[tuple[tuple[str | int, ...], object]]:
    if known is None or not isinstance(context.body, dict):
        return
    yield from (((name,), context.body[name]) for name in context.body if name not in known)
    if context.endpoint is None or not context.is_list:
        return
    of_rows = context.fields.known
    for index, row in enumerate(context.rows):
        if isinstance(row, dict) and not row.keys() <= of_rows:
            yield from (((*context.keys(index), name), row[name]) for name in row if name not in of_rows)


def _resource(context: RuleContext) -> Resource:
    resource = context.fields.resource
    assert resource, "each endpoint serves a resource"
    return resource


def _lacks_later_fields(context: RuleContext, row: Any) -> bool:
    """Whether a row has a field that only such rows have, and none that an earlier edition lacked."""
    if context.endpoint is None or not isinstance(row, dict) or not (later := _resource(context).later):
        return False
    return _resource(context).signs[0] in row and later.isdisjoint(row)


def _is_of_the_older_edition(context: RuleContext, error: ValidationError) -> bool:
    """Whether a field is missing that an earlier edition lacked: that is reported once for each row."""
    if error.validator != "required" or not _lacks_later_fields(context, error.instance):
        return False
    return _missing(error) in _resource(context).later


def _is_whole(error: ValidationError) -> bool:
    """Whether `1.0` was refused for an integer, which JSON Schema says it is.

    jsonschema knows so of a float, but not of the `Decimal` that the number is read as.
    """
    value, wanted = error.instance, error.validator_value
    is_about_integers = error.validator == "type" and "integer" in cast("str | list[str]", wanted)
    return is_about_integers and isinstance(value, Decimal) and value == value.to_integral_value()


def _keys(error: ValidationError) -> list[Any]:
    return list(error.absolute_path)


def _finding(context: RuleContext, error: ValidationError) -> Finding:
    from jsonschema.exceptions import best_match

    # Of an `anyOf` that fails, what is amiss in the branch that was meant.
    leaf = best_match([error]) or error
    rule, mark = _annotation(leaf, "x-rule"), Mark(_annotation(leaf, "x-provenance"))
    if leaf.validator == "required":
        return context.finding(rule, *_keys(leaf), _missing(leaf), check="required", mark=mark)
    check, expected = str(leaf.validator), leaf.validator_value
    return context.finding(
        rule, *_keys(leaf), check=check, expected=expected, actual=leaf.instance, mark=mark
    )


def _missing(error: ValidationError) -> str:
    """Given an error of `required`, return its field, which only the text of the error tells."""
    names = cast("list[str]", error.validator_value)
    return next(name for name in names if error.message.startswith(repr(name)))


def _annotation(error: ValidationError, keyword: str) -> str:
    """Given an error, return what the nearest schema around it says under `keyword`; each of ours does."""
    around: Any = error
    while keyword not in around.schema:
        around = around.parent
    return str(around.schema[keyword])
