"""Paths: which are known, which a pattern fits, and which is nearest."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.paths import LONGEST, is_pattern_known, known_path, known_paths, nearest_path

CREDIT, DETAIL = "/api/v2/referral/credit/", "/api/v2/referral/credit/{id}/"
PATHS = {
    CREDIT: CREDIT,
    "/api/v2/referral/credit": CREDIT,
    "/api/v2/referral/credit/17/": DETAIL,
    "/api/v2/referral/credit/x": DETAIL,
    "/api/v2/profile/": "/api/v2/profile/",
    "/api/v3/proxy/config": "/api/v3/proxy/config",
    "/api/v2/proxy/list/download/a/-/any/b/c/-": (
        "/api/v2/proxy/list/download/{token}/{countries}/{protocol}/{method}/{mode}/{search}/"
    ),
    "/api/v2/referral/credit//": None,
    "/api/v2/referral/credit/1/2/": None,
    "/api/v2/referral/credits/": None,
    "/api/v2/referral/*": None,
    "/": None,
    "": None,
    "/" + "a" * LONGEST: None,
}


@pytest.mark.parametrize("path", PATHS)
def test_a_path_is_known_with_and_without_its_slash(path: str) -> None:
    assert known_path(WEBSHARE, path) == PATHS[path]


FITTING = [
    "*",
    "/*",
    "/api/v2/referral/*",
    "*/credit",
    "/api/*/credit/1*7/",
    "*credit*",
    "/api/v2/referral/credit/*",
]
NOT_FITTING = [
    "/",
    "/referral/*",
    "*//*",
    "/api/v2/referral/credit/1/2*/",
    "x*",
    "/api/v2/referral/*/x/y/*",
    "/api/v4/*",
]


@pytest.mark.parametrize("pattern", [*FITTING, *(path for path in PATHS if PATHS[path])])
def test_a_pattern_that_some_known_path_fits(pattern: str) -> None:
    assert is_pattern_known(WEBSHARE, pattern)


@pytest.mark.parametrize("pattern", NOT_FITTING)
def test_a_pattern_that_no_known_path_fits(pattern: str) -> None:
    assert not is_pattern_known(WEBSHARE, pattern)


@given(st.sampled_from(known_paths(WEBSHARE)), st.text("ab1-", min_size=1, max_size=3), st.data())
def test_a_pattern_made_of_a_known_path_fits_it(template: str, name: str, data: st.DataObject) -> None:
    path = re.sub(r"\{\w+\}", name, template)
    start = data.draw(st.integers(0, len(path)))
    end = data.draw(st.integers(start, len(path)))
    pattern = f"{path[:start]}*{path[end:]}"
    assert fnmatchcase(path, pattern) and is_pattern_known(WEBSHARE, pattern)


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("/api/v2/referral/credits/", CREDIT),
        ("/api/v2/referral/credits/5/", DETAIL),
        ("/api/v2/referal/credit", CREDIT),
        ("/v2/referral/credit/", CREDIT),
        ("/api/v2/stat/", "/api/v2/stats/"),
        ("/api/v2/proxies/", None),
        ("/favicon.ico", None),
        ("", None),
        (CREDIT * 100, None),
    ],
)
def test_the_nearest_path(path: str, nearest: str | None) -> None:
    assert nearest_path(WEBSHARE, path) == nearest


def test_any_path_has_a_nearest_one_if_it_need_not_be_similar() -> None:
    assert nearest_path(WEBSHARE, "/favicon.ico", 0.0) in known_paths(WEBSHARE)
