"""Rules: what the judge asks of an exchange, each a small generator of findings.

A rule is given the exchange, its body as a JSON value, and the name of the schema that the body
answers to, or None if that is not known. It returns at once when it is not concerned.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from mock_webshare import contract
from mock_webshare.contract import Mark
from mock_webshare.traffic.finding import Finding, Place, excerpt, pointer
from mock_webshare.traffic.shapes import SHAPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jsonschema import ValidationError

    from mock_webshare.traffic.exchange import Exchange

    ExchangeRule: TypeAlias = Callable[[Exchange, Any, str | None], Iterator[Finding]]

KNOWN_SHAPE = contract.Rule(
    "body.shape", Mark.ASSUMED, "A body shows by its fields which of the documented ones it is.", "--schema"
)


def has_known_shape(exchange: Exchange, body: Any, schema: str | None) -> Iterator[Finding]:
    """A body whose schema was not named shows the sign of one."""
    if schema is not None:
        return
    yield Finding(
        rule=KNOWN_SHAPE.id,
        mark=KNOWN_SHAPE.mark,
        place=Place(source=exchange.source),
        check=KNOWN_SHAPE.id,
        expected={shape.schema: shape.sign for shape in SHAPES},
        actual=excerpt(body),
    )


def keeps_schema(exchange: Exchange, body: Any, schema: str | None) -> Iterator[Finding]:
    """A body keeps every rule of its schema."""
    if schema is None:
        return
    errors = (each for each in contract.validator(schema).iter_errors(body) if not _is_whole(each))
    for error in sorted(errors, key=_keys):
        yield _finding(exchange.source, error)


RULES: tuple[ExchangeRule, ...] = (has_known_shape, keeps_schema)


def check(exchange: Exchange, body: Any, schema: str | None) -> Iterator[Finding]:
    """Given an exchange, its body and the body's schema, yield what every rule has to say."""
    for rule in RULES:
        yield from rule(exchange, body, schema)


def _is_whole(error: ValidationError) -> bool:
    """Whether `1.0` was refused for an integer, which JSON Schema says it is.

    jsonschema knows so of a float, but not of the `Decimal` that the number is read as.
    """
    value, wanted = error.instance, error.validator_value
    is_about_integers = error.validator == "type" and "integer" in cast("str | list[str]", wanted)
    return is_about_integers and isinstance(value, Decimal) and value == value.to_integral_value()


def _keys(error: ValidationError) -> list[Any]:
    return list(error.absolute_path)


def _finding(source: str, error: ValidationError) -> Finding:
    from jsonschema.exceptions import best_match

    # Of an `anyOf` that fails, what is amiss in the branch that was meant.
    leaf = best_match([error]) or error
    is_missing = leaf.validator == "required"
    keys = [*_keys(leaf), _missing(leaf)] if is_missing else _keys(leaf)
    return Finding(
        rule=_annotation(leaf, "x-rule"),
        mark=Mark(_annotation(leaf, "x-provenance")),
        place=Place(source=source, pointer=pointer(keys)),
        check=str(leaf.validator),
        expected=None if is_missing else leaf.validator_value,
        actual=None if is_missing else excerpt(leaf.instance),
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
