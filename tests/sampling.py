"""The everyday sample of parametrized cases and of generated ones, and the whole with `--exhaustive`."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

T = TypeVar("T")


def sampled(
    cases: Iterable[T], *, kind: Callable[[T], Hashable] = lambda case: None, name: Callable[[T], str] = str
) -> list[ParameterSet]:
    """Return one parameter for each case; all but the first of a kind are marked `exhaustive`."""
    return [pytest.param(case, id=name(case), marks=marks) for case, marks in _marked(cases, kind)]


def sampled_rows(
    rows: Iterable[tuple[Any, ...]], *, kind: Callable[[tuple[Any, ...]], Hashable] = lambda row: None
) -> list[ParameterSet]:
    """Return the parameters of each row, like `sampled`, for tests with several of them."""
    return [pytest.param(*row, marks=marks) for row, marks in _marked(rows, kind)]


def sampled_groups(
    cases: Iterable[T], *, kind: Callable[[T], Hashable], name: Callable[[T], str]
) -> list[ParameterSet]:
    """Return a parameter for the first case of each kind, and an exhaustive one for all others of it.

    It is for thousands of cases, each of which takes less time than to start a test.
    """
    groups: dict[Hashable, list[T]] = {}
    for case in cases:
        groups.setdefault(kind(case), []).append(case)
    first = [pytest.param(group[:1], id=name(group[0])) for group in groups.values()]
    others = [
        pytest.param(group[1:], id=f"{name(group[1])} and so on", marks=pytest.mark.exhaustive)
        for group in groups.values()
        if group[1:]
    ]
    return [*first, *others]


def _marked(
    cases: Iterable[T], kind: Callable[[T], Hashable]
) -> Iterator[tuple[T, list[pytest.MarkDecorator]]]:
    seen: set[Hashable] = set()
    for case in cases:
        yield case, [pytest.mark.exhaustive] if kind(case) in seen else []
        seen.add(kind(case))


def examples(number: int) -> int:
    """Return how many of so many examples to generate: with `--exhaustive` all, otherwise a quarter."""
    return max(1, number * settings().max_examples // 100)
