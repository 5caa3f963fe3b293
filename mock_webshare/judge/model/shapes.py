"""Shape: what a body is, told from its looks alone.

A body stored without its request does not say which schema it answers to. Each shape has a
sign that no other one shows, chosen so that a broken body is still known for what it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of body; `schema` is what it must keep, `has_sign` tells whether a body shows its sign."""

    schema: str
    sign: str
    has_sign: Callable[[Any], bool]


def _has_any(*fields: str) -> Callable[[Any], bool]:
    return lambda body: isinstance(body, dict) and not body.keys().isdisjoint(fields)


def _holds_lists(body: Any) -> bool:
    return isinstance(body, dict) and bool(body) and all(isinstance(each, list) for each in body.values())


SHAPES = (
    Shape("referral-credit-page", "has `results` or `next`", _has_any("results", "next")),
    Shape("referral-credit", "has `user_id` or `reverted_at`", _has_any("user_id", "reverted_at")),
    Shape("error-detail", "has `detail`", _has_any("detail")),
    Shape("field-errors", "has lists only", _holds_lists),
)
"""A body has the first shape whose sign it shows."""


def recognise(body: Any) -> str | None:
    """Given a JSON value, return the name of the schema of its shape, or None if it has none."""
    return next((shape.schema for shape in SHAPES if shape.has_sign(body)), None)
