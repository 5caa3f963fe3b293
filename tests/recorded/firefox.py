"""Firefox: driven through Marionette, its own protocol, to call the API and to export what it saw as HAR."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = ("firefox-esr", "--headless", "--no-remote", "--marionette", "--remote-allow-system-access")
PREFERENCES = {
    "app.update.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "devtools.netmonitor.persistlog": True,
}

OPEN_NETWORK_MONITOR = """
const done = arguments[arguments.length - 1];
const { require } = ChromeUtils.importESModule("resource://devtools/shared/loader/Loader.sys.mjs");
const { gDevTools } = require("devtools/client/framework/devtools");
const browser = Services.wm.getMostRecentWindow("navigator:browser");
gDevTools.showToolboxForTab(browser.gBrowser.selectedTab, { toolId: "netmonitor" })
  .then(toolbox => { browser.recordedToolbox = toolbox; done(true); }, error => done(String(error)));
"""
EXPORT = """
const done = arguments[arguments.length - 1];
const toolbox = Services.wm.getMostRecentWindow("navigator:browser").recordedToolbox;
toolbox.getNetMonitorAPI().then(api => api.getHar())
  .then(har => done(JSON.stringify(har)), error => done(String(error)));
"""


class Firefox:
    """A session of Marionette."""

    def __init__(self, port: int) -> None:
        self._socket = _connected(port)
        self._stream = self._socket.makefile("rb")
        self._read()  # its greeting
        self._number = 0

    def send(self, command: str, **parameters: Any) -> Any:
        """Send a command and return what it answers."""
        self._number += 1
        text = json.dumps([0, self._number, command, parameters])
        self._socket.sendall(f"{len(text)}:{text}".encode())
        _, _, error, result = self._read()
        assert error is None, error
        return result

    def go(self, url: str) -> None:
        """Open a page."""
        self.send("Marionette:SetContext", value="content")
        self.send("WebDriver:Navigate", url=url)

    def run(self, script: str, context: str, *arguments: Any) -> Any:
        """Run a script, which calls its last argument with the result, in the `content` or in `chrome`."""
        self.send("Marionette:SetContext", value=context)
        return self.send("WebDriver:ExecuteAsyncScript", script=script, args=list(arguments))["value"]

    def _read(self) -> Any:
        size = b""
        while (byte := self._stream.read(1)) != b":":
            size += byte
        return json.loads(self._stream.read(int(size)))


def _connected(port: int) -> socket.socket:
    for _ in range(300):
        try:
            return socket.create_connection(("127.0.0.1", port), 120)
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise TimeoutError("Firefox does not listen")


@contextmanager
def firefox(hosts: tuple[str, ...]) -> Iterator[Firefox]:
    """Start Firefox for which some hosts are this machine, and yield it with its network monitor open."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    chosen = {**PREFERENCES, "marionette.port": port, "network.dns.localDomains": ",".join(hosts)}
    with tempfile.TemporaryDirectory() as profile:
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in chosen.items()]
        Path(profile, "user.js").write_text("".join(lines), encoding="utf-8")
        process = subprocess.Popen([*COMMAND, "--profile", profile], stdout=-3, stderr=-3)
        try:
            session = Firefox(port)
            session.send("WebDriver:NewSession", capabilities={})
            assert session.run(OPEN_NETWORK_MONITOR, "chrome") is True
            yield session
        finally:
            process.terminate()
            process.wait()


def export(session: Firefox) -> dict[str, Any]:
    """Return the HAR of all that was recorded."""
    har: dict[str, Any] = json.loads(session.run(EXPORT, "chrome"))
    return har
