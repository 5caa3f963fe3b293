"""Rulebook: the rules of the contract, and the judge's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypedDict, Unpack

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.model import Contract, Mark, Rule
from mock_webshare.judge.body import strict_json
from mock_webshare.judge.model.finding import LEVELS, Finding, Level, Neighbours, Place, excerpt

OWN_RULES = (
    Rule("record.malformed", Mark.ASSUMED, "Every record of a recording is an exchange.", "--input-format"),
    Rule("body.shape", Mark.ASSUMED, "A body shows by its fields which documented one it is.", "--schema"),
    *strict_json.RULES,
)
"""Rules that a recording has to keep before those of the contract can be applied."""
_CACHED = 16  # contracts


@lru_cache(_CACHED)
def rules_of(contract: Contract = WEBSHARE) -> Mapping[str, Rule]:
    """Return every rule that a finding may name, by its id."""
    return {rule.id: rule for rule in (*OWN_RULES, *contract.rules.values())}


def mark_of(rule_id: str, contract: Contract) -> Mark:
    """Return the mark of a rule; `ASSUMED` if the contract does not have the rule."""
    rule = rules_of(contract).get(rule_id)
    return Mark.ASSUMED if rule is None else rule.mark


FIXED_LEVELS = {
    "record.malformed": Level.ERROR,  # its content was not judged
    "body.shape": Level.WARNING,  # likewise, but that says nothing about the service
    "object.new-fields": Level.INFO,  # the vendor announces them
    "object.older-edition": Level.NOTE,  # true when it was recorded
    "object.pending": Level.NOTE,  # the period is documented, but each account has days of its own
}
"""The levels that do not follow from the marks."""

NOT_JUDGED = {
    "wire.indent": "recordings seldom show the requested indent",
    "auth.token": "the key is not recorded",
    "route.unknown": "other paths are skipped",
    "filter.own-channel": "a recording does not show who owns a channel",
    "filter.unknown": "an unknown parameter changes nothing but the links",
    "list.page-numbers": "a reading of the parameters, which the other rules use",
    "body.errors": "the rules about `detail` and about errors of fields find what is wrong",
    "code.open": "the key is not recorded",
    "coupon.errors": "a recording does not show which coupon codes there are",
    "coupon.remove": "a recording does not show whether a payment has used a coupon code",
    "limit.coupon": "a recording seldom has all requests of a key",
    "limit.rate": "a recording seldom has all requests of a key",
}
"""Rules that no recording shows to be broken, and why."""

NOTHING: Any = object()
"""The `actual` of a finding without a value; None is the JSON value null."""


class Details(TypedDict, total=False):
    """The fields of a finding besides rule and place, with the same meaning as in `Finding`."""

    check: str | None
    expected: Any
    actual: Any
    """A JSON value; the finding will have an excerpt of it."""
    mark: Mark | None
    fixed_level: Level | None
    other: Place | None
    neighbours: Neighbours | None


def finding_of(rule: str, place: Place, contract: Contract, **details: Unpack[Details]) -> Finding:
    """Return the finding that a rule is broken at a place; check, mark and level default to the rule's."""
    mark, actual = details.get("mark"), details.get("actual", NOTHING)
    return Finding(
        rule=rule,
        mark=mark or mark_of(rule, contract),
        place=place,
        check=details.get("check") or rule,
        expected=details.get("expected"),
        actual=None if actual is NOTHING else excerpt(actual),
        fixed_level=details.get("fixed_level") or (None if mark else FIXED_LEVELS.get(rule)),
        other=details.get("other"),
        neighbours=details.get("neighbours"),
    )


def level(rule: Rule) -> Level:
    """Return the level of a finding that breaks a rule."""
    return FIXED_LEVELS.get(rule.id, LEVELS[rule.mark])
