"""A local stand-in for the Webshare referral credits API.

The names below are the whole public interface. They are imported on first use, so that
`import mock_webshare` costs nothing in a test suite that ends up not using it.
"""

from __future__ import annotations

from mock_webshare.version import __version__

__all__ = [
    "MockServer",
    "MockWebshareError",
    "MockWorld",
    "Settings",
    "__version__",
    "create_app",
    "running_server",
]

TYPE_CHECKING = False
if TYPE_CHECKING:  # the same flag as typing's, without the cost of importing typing
    from mock_webshare.errors import MockWebshareError
    from mock_webshare.server.app import create_app
    from mock_webshare.server.mock_world import MockWorld
    from mock_webshare.server.running import running_server
    from mock_webshare.server.thread import MockServer
    from mock_webshare.service.settings import Settings

_HOMES = {
    "MockServer": "mock_webshare.server.thread",
    "MockWebshareError": "mock_webshare.errors",
    "MockWorld": "mock_webshare.server.mock_world",
    "Settings": "mock_webshare.service.settings",
    "create_app": "mock_webshare.server.app",
    "running_server": "mock_webshare.server.running",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
