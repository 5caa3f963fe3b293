"""The operations of the vendor's client, read from the client itself.

`python -m tests.sdk_operations` writes them to `mock_webshare/contract/operations.py`; run it when the
client has others, which `tests/contract/test_operations.py` reports.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import webshare

TABLE = Path(__file__).parents[1] / "mock_webshare" / "contract" / "operations.py"
# The parts of a download link that follow its token; the client fills them in.
_DEFAULTS = {"-/any/username/direct/-/": "{countries}/{protocol}/{method}/{mode}/{search}/"}

_OPTIONS = {"verification.flows.submit_evidence": {"explanation": "a"}}
"""Optional arguments of which a method wants one."""


class SdkOperation(NamedTuple):
    """A method of the client, and the request that it sends; its arguments are in braces in the path."""

    method: str
    path: str
    name: str


class _Sent(Exception):
    """Carries the request that a method would send."""


class _Recorder:
    """Stands for the client of a resource, and sends nothing."""

    def __getattr__(self, name: str) -> Any:
        def send(request: Any, *args: Any, **options: Any) -> None:
            raise _Sent(request.method, request.path)

        return send


def operations() -> Iterator[SdkOperation]:
    """Yield the operations of the installed client, by namespace and method."""
    return _operations("", webshare.Webshare(api_key="unused"))


def _operations(prefix: str, resource: Any) -> Iterator[SdkOperation]:
    for namespace, each in sorted(vars(resource).items()):
        if hasattr(each, "_client"):
            yield from _operations(f"{prefix}{namespace}.", each)
            each._client = _Recorder()
            for name, method in inspect.getmembers(each, inspect.ismethod):
                if not name.startswith("_") and (found := _operation(f"{prefix}{namespace}.{name}", method)):
                    yield found


def _operation(name: str, method: Any) -> SdkOperation | None:
    """Return the operation of a method; None if it sends no request, as `proxies.download_url`."""
    arguments = {each.name: _argument(each) for each in _required(method)}
    try:
        method(**arguments, **_OPTIONS.get(name, {}))
    except _Sent as sent:
        verb, path = sent.args
        for written, general in _DEFAULTS.items():
            path = path.replace(written, general)
        return SdkOperation(verb, unquote(path), name)
    return None


def _required(method: Any) -> list[inspect.Parameter]:
    parameters = inspect.signature(method).parameters.values()
    return [each for each in parameters if each.default is each.empty and each.kind is not each.VAR_KEYWORD]


def _argument(parameter: inspect.Parameter) -> Any:
    is_object = any(kind in str(parameter.annotation) for kind in ("Mapping", "dict"))
    return {} if is_object else f"{{{parameter.name}}}"


def main() -> None:
    rows = "".join(f"    Operation{tuple(each)!r},\n" for each in operations())
    before, start, _ = TABLE.read_text(encoding="utf-8").partition("OPERATIONS = (\n")
    TABLE.write_text(f"{before}{start}{rows})\n", encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", str(TABLE)], check=True)


if __name__ == "__main__":
    main()
