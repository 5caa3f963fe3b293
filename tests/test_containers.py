"""The container file of `docs/containers.md`: what it runs, run without a container."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import urllib.request

import pytest

from tests.paths import ROOT
from tests.server.test_running import line
from tests.waiting import PATIENCE

PAGE = (ROOT / "docs" / "containers.md").read_text(encoding="utf-8")
FILE = re.findall(r"^```dockerfile\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)[0]


def instruction(name: str) -> str:
    """Return the arguments of the one instruction with a name."""
    (found,) = re.findall(rf"^{name} (.*)$", FILE, re.MULTILINE)
    assert isinstance(found, str)
    return found


def command(text: str) -> list[str]:
    """Return a command in list form, as a module of this Python."""
    words = json.loads(text[text.index("[") :])
    assert words[0] == "mock-webshare"
    return [sys.executable, "-m", "mock_webshare", *words[1:]]


@pytest.fixture
def environ() -> dict[str, str]:
    """The variables of the file, with a free port instead of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    given = dict(each.split("=") for each in instruction("ENV").split())
    assert given["MOCK_WEBSHARE_PORT"] == instruction("EXPOSE")
    return {**os.environ, **given, "MOCK_WEBSHARE_PORT": port}


def health(environ: dict[str, str]) -> int:
    return subprocess.run(command(instruction("HEALTHCHECK")), env=environ, timeout=PATIENCE).returncode


def test_its_health_check_passes_exactly_while_its_server_runs(environ: dict[str, str]) -> None:
    assert health(environ) == 1
    pipe = subprocess.PIPE
    with subprocess.Popen(command(instruction("CMD")), env=environ, stdout=pipe, stderr=pipe) as process:
        try:
            assert line(process.stdout) == f"http://0.0.0.0:{environ['MOCK_WEBSHARE_PORT']}"
            assert health(environ) == 0
            process.terminate()
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
    assert health(environ) == 1


def test_its_server_responds_on_an_address_that_is_not_loopback(environ: dict[str, str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as prober:
        try:
            prober.connect(("192.0.2.1", 9))  # sends nothing, but selects an address of this machine
        except OSError:
            pytest.skip("this machine has no address but loopback")
        address = prober.getsockname()[0]
    pipe = subprocess.PIPE
    with subprocess.Popen(command(instruction("CMD")), env=environ, stdout=pipe, stderr=pipe) as process:
        try:
            line(process.stdout)
            url = f"http://{address}:{environ['MOCK_WEBSHARE_PORT']}/__mock__/health"
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(url, timeout=PATIENCE) as response:
                assert json.loads(response.read()) == {"status": "ready"}
        finally:
            process.kill()


def test_it_runs_as_a_user_without_privileges() -> None:
    assert instruction("USER") not in ("root", "0")
    assert FILE.index("USER ") < FILE.index("CMD [")
