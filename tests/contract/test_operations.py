"""The table of operations is that of the vendor's client that is installed."""

from __future__ import annotations

from mock_webshare.contract.endpoints import WEBSHARE
from mock_webshare.contract.operations import OPERATIONS
from tests.sdk_operations import operations


def test_the_table_has_the_operations_of_the_client() -> None:
    assert [tuple(each) for each in OPERATIONS] == [tuple(each) for each in operations()]


def test_each_that_is_not_served_is_found_by_its_path() -> None:
    served = {endpoint.path for endpoint in WEBSHARE.endpoints}
    for each in [each for each in OPERATIONS if each.path not in served]:
        assert WEBSHARE.operation(each.method, each.path) == each
        assert WEBSHARE.operation(each.method, each.path.rstrip("/")) == each


def test_another_method_finds_one_of_the_path() -> None:
    found = WEBSHARE.operation("PUT", "/api/v2/profile/")
    assert found and found.name == "profile.get"
    assert WEBSHARE.operation("GET", "/api/v2/profile/x/") is None
    for path in ("/api/v2/subuser/1/2/", "/api/v2/subuser/1.5/", "/api/v2/referral/credit/1.5/"):
        assert WEBSHARE.operation("GET", path) is None
