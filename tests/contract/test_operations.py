"""The table of operations is that of the vendor's client that is installed."""

from __future__ import annotations

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.operations import OPERATIONS
from tests.sdk_operations import operations


def test_the_table_has_the_operations_of_the_client() -> None:
    assert [tuple(each) for each in OPERATIONS] == [tuple(each) for each in operations()]


def test_each_is_found_by_its_path() -> None:
    for each in OPERATIONS:
        assert WEBSHARE.operation(each.method, each.path) == each
        assert WEBSHARE.operation(each.method, each.path.rstrip("/")) == each


def test_another_method_finds_one_of_the_path() -> None:
    found = WEBSHARE.operation("PUT", "/api/v2/profile/")
    assert found and found.name == "profile.get"
    assert WEBSHARE.operation("GET", "/api/v2/profile/x/") is None
    assert WEBSHARE.operation("GET", "/api/v2/subuser/1/2/") is None
