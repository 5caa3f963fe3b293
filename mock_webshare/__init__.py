"""A local mock server of the Webshare referral credits API.

The names in `__all__` are the public interface. Each is imported on first use, so that `import mock_webshare`
costs nothing in a test suite that uses none of them.
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

_MODULES = {
    "MockServer": "mock_webshare.server.thread",
    "MockWebshareError": "mock_webshare.errors",
    "MockWorld": "mock_webshare.server.mock_world",
    "Settings": "mock_webshare.service.settings",
    "create_app": "mock_webshare.server.app",
    "running_server": "mock_webshare.server.running",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
