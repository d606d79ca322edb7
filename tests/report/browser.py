"""Headless Chromium for tests, driven over a pipe by its DevTools protocol, without a library."""

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
    # Every name resolves to nothing: what is not in the file cannot be had.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
PATIENCE_S = 20.0


def find_browser() -> str | None:
    """Return the path of an installed Chromium, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def _high_pipe() -> tuple[int, int]:
    """Return a pipe whose ends are not 3 and 4, which the browser talks through."""
    pair = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in pair)
    for end in pair:
        os.close(end)
    return high[0], high[1]


class BrowserError(Exception):
    """The browser, or the page in it, did not do what was asked."""


class Browser:
    """A browser with one page, and what the page asked for and complained of."""

    def __init__(self, program: str) -> None:
        self._profile = tempfile.TemporaryDirectory(
            # Helpers of the browser may write a moment longer than it lives.
            prefix="corridor-browser-",
            ignore_cleanup_errors=True,
        )
        read_by_browser, self._write = _high_pipe()
        self._read, written_by_browser = _high_pipe()
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{read_by_browser} 4>&{written_by_browser}', "bash",  # noqa: S607
             program, *FLAGS, f"--user-data-dir={self._profile.name}", "about:blank"],
            pass_fds=(read_by_browser, written_by_browser),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(read_by_browser)
        os.close(written_by_browser)
        self._rest = b""
        self._count = 0
        self.events: list[dict[str, Any]] = []
        targets = self.send("Target.getTargets", session=False)["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = self.send(
            "Target.attachToTarget", {"targetId": page["targetId"], "flatten": True}, session=False
        )
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._write)
        os.close(self._read)
        self._process.terminate()
        self._process.wait(timeout=PATIENCE_S)
        self._profile.cleanup()

    def send(
        self, method: str, params: dict[str, Any] | None = None, *, session: bool = True
    ) -> dict[str, Any]:
        """Call a method of the protocol and return its result."""
        self._count += 1
        number = self._count
        message: dict[str, Any] = {"id": number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                if "error" in answer:
                    raise BrowserError(method, answer["error"]["message"])
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            chunk = os.read(self._read, 1 << 20)
            if not chunk:
                raise BrowserError
            self._rest += chunk
        text, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message

    def run(self, script: str) -> Any:  # noqa: ANN401
        """Return what an expression of JavaScript gives, promises awaited."""
        answer = self.send(
            "Runtime.evaluate",
            {"expression": script, "awaitPromise": True, "returnByValue": True},
        )
        if "exceptionDetails" in answer:
            raise BrowserError(script, str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def wait_for(self, script: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + PATIENCE_S
        while not self.run(script):
            if time.monotonic() > end:
                raise BrowserError(script, "never true")
            time.sleep(0.02)

    def resize(self, width: int, height: int, *, dark: bool = False) -> None:
        """Give the window a size, and day or night."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", {"features": [scheme]})

    def open(self, path: Path) -> None:
        """Open a report and wait until it is drawn."""
        self.events.clear()
        self.send("Page.navigate", {"url": path.absolute().as_uri()})
        self.wait_for("document.documentElement?.dataset.ready === 'yes'")
        self.settle()

    def settle(self) -> None:
        """Wait until what was changed is drawn."""
        self.run("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press and release a key."""
        params: dict[str, Any] = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        down = params | ({"text": text} if text else {})
        self.send("Input.dispatchKeyEvent", {"type": "keyDown", **down})
        self.send("Input.dispatchKeyEvent", {"type": "keyUp", **params})

    def point(self, x: float, y: float) -> None:
        """Move the mouse to a place of the window."""
        self.send("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})

    def requests(self) -> list[str]:
        """Return every address that the page asked for, itself left out."""
        asked = [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]
        return [url for url in asked[1:] if not url.startswith(("data:", "blob:"))]

    def complaints(self) -> list[str]:
        """Return errors and warnings of the console, and exceptions nobody caught."""
        said = []
        for event in self.events:
            params = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                said.append(str(params["exceptionDetails"]))
            if event.get("method") == "Log.entryAdded":
                said.append(str(params["entry"]["text"]))
            if params.get("type") in ("error", "warning", "assert"):  # of the console
                said.append(str(params.get("args")))
        return said


@contextmanager
def new_browser() -> Iterator[Browser]:
    """Start the installed Chromium; `find_browser` says whether there is one."""
    program = find_browser()
    if program is None:
        raise BrowserError
    with Browser(program) as browser:
        yield browser
