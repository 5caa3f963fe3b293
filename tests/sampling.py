"""The everyday sample of parametrized cases, and the whole that `--exhaustive` adds."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from _pytest.mark import ParameterSet

T = TypeVar("T")


def sampled(
    cases: Iterable[T], *, kind: Callable[[T], Hashable] = lambda case: None, name: Callable[[T], str] = str
) -> list[ParameterSet]:
    """Return one parameter for each case; all but the first of a kind are marked `exhaustive`."""
    seen: set[Hashable] = set()
    params = []
    for case in cases:
        marks = [pytest.mark.exhaustive] if kind(case) in seen else []
        params.append(pytest.param(case, id=name(case), marks=marks))
        seen.add(kind(case))
    return params
