"""Chromium: a headless browser, controlled through the DevTools protocol."""

import base64
import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import websocket

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_SECONDS = 60


class Chromium:
    """One browser process. Each page opens in its own tab."""

    def __init__(self, folder: Path) -> None:
        command = [
            *(str(PROGRAM), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
            *("--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-port=0", f"--user-data-dir={folder}"),
            # A camera that shows a test image, and no question whether a page may use it.
            *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
        port = folder / "DevToolsActivePort"
        _wait_for(lambda: port.exists() and port.read_text().count("\n"))
        self._address = f"http://127.0.0.1:{port.read_text().splitlines()[0]}"

    def open(self, file: Path | str, width: int = 1280, height: int = 900, dark: bool = False) -> "Page":
        """Opens a file or an address in a new tab and waits until it has loaded."""
        request = urllib.request.Request(f"{self._address}/json/new?about:blank", method="PUT")  # noqa: S310
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            page = Page(json.load(answer)["webSocketDebuggerUrl"])
        phone = width < 600
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        page.call("Emulation.setTouchEmulationEnabled", enabled=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.call("Emulation.setEmulatedMedia", features=[scheme])
        page.load(file if isinstance(file, str) else file.as_uri())
        return page

    def close(self) -> None:
        """Ends the process."""
        self._process.terminate()
        self._process.wait(_SECONDS)


class Page:
    """A tab, with its console messages (`said`) and its network requests."""

    def __init__(self, address: str) -> None:
        self.said: list[str] = []
        self.requests: list[str] = []
        self._loaded = False
        self._numbers = itertools.count(1)
        self._socket = websocket.create_connection(address, timeout=_SECONDS, suppress_origin=True)
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Sends a command of the protocol and returns its result."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def load(self, address: str) -> None:
        """Opens an address and waits until everything has loaded."""
        self._loaded = False
        self.call("Page.navigate", url=address)
        while not self._loaded:
            self._receive()

    def evaluate(self, script: str) -> Any:
        """Returns the value of a JavaScript expression. Waits for a promise."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait_for(self, script: str) -> Any:
        """Waits until the expression is true, and returns its value."""
        return _wait_for(lambda: self.evaluate(script))

    def tap(self, script: str) -> None:
        """Touches the middle of an element, given as a JavaScript expression, on a phone."""
        box = self.evaluate(f"{script}.getBoundingClientRect().toJSON()")
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[at])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def shot(self, file: Path) -> None:
        """Saves a screenshot of the whole page."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 16_000), "scale": 1}
        found = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        file.write_bytes(base64.b64decode(found["data"]))

    def _receive(self) -> dict[str, Any]:
        message = json.loads(self._socket.recv())
        given = message.get("params", {})
        match message.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Runtime.consoleAPICalled":
                self.said.append(" ".join(str(one.get("value", one.get("description"))) for one in given["args"]))
            case "Runtime.exceptionThrown":
                self.said.append(json.dumps(given["exceptionDetails"]))
            case "Log.entryAdded":
                self.said.append(given["entry"]["text"])
            case "Network.requestWillBeSent" if not given["request"]["url"].startswith(("file:", "data:", "blob:")):
                self.requests.append(given["request"]["url"])
        return message


def _wait_for(ready: Any) -> Any:
    end = time.monotonic() + _SECONDS
    while not (found := ready()):
        assert time.monotonic() < end, "the browser takes too long"
        time.sleep(0.05)
    return found
