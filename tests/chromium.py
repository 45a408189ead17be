"""A real browser for tests: Debian's Chromium without a screen, told what to do over its DevTools protocol through two pipes."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import lacking

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND", "--remote-debugging-pipe",
)  # fmt: skip
SECONDS = 60.0


class Browser:
    """One window. ``wanted`` has by its request the URL of what its pages asked for, unless their own policy forbade it; ``said`` what they wrote to the
    console and which rules they broke."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._rest = b""
        self._calls = 0
        self._events: list[dict[str, Any]] = []
        self._session: str | None = None
        self.wanted: dict[str, str] = {}
        self.said: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log", "Audits"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """What the browser answers to one command."""
        self._calls += 1
        session = {} if self._session is None else {"sessionId": self._session}
        os.write(self._commands, json.dumps({"id": self._calls, "method": method, "params": parameters} | session).encode() + b"\0")
        while True:
            message = self._message()
            if message.get("id") == self._calls:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result

    def open(self, url: str, width: int = 1280, height: int = 900) -> None:
        """Open a page in a window of so many pixels, and wait until all of it is there."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 800)
        self._events.clear()
        self.call("Page.navigate", url=url)
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._message()

    def ask(self, expression: str) -> Any:
        """The value of an expression in JavaScript, as the developer's console has it."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True)["data"])

    def _message(self) -> dict[str, Any]:
        until = time.monotonic() + SECONDS
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, until - time.monotonic()))
            assert ready, f"Chromium said nothing within {SECONDS:g} s"
            piece = os.read(self._answers, 1 << 20)
            assert piece, "Chromium has ended"
            self._rest += piece
        line, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        if method := message.get("method"):
            self._events.append(message)
            self._note(method, message["params"])
        return message

    def _note(self, method: str, parameters: dict[str, Any]) -> None:
        if method == "Network.requestWillBeSent":
            self.wanted[parameters["requestId"]] = parameters["request"]["url"]
        elif method == "Network.loadingFailed" and parameters.get("blockedReason") == "csp":
            self.wanted.pop(parameters["requestId"])
        elif method == "Runtime.consoleAPICalled":
            self.said.append(str([one.get("value") for one in parameters["args"]]))
        elif method == "Runtime.exceptionThrown":
            self.said.append(parameters["exceptionDetails"]["text"])
        elif method == "Log.entryAdded":
            self.said.append(parameters["entry"]["text"])
        elif method == "Audits.issueAdded":
            self.said.append(parameters["issue"]["code"])
        elif method == "Page.javascriptDialogOpening":
            self.said.append(f"dialog: {parameters['message']}")
            self._dismiss()

    def _dismiss(self) -> None:
        # Not ``call``: its answer would be waited for inside of another wait.
        answer = {"id": 0, "method": "Page.handleJavaScriptDialog", "params": {"accept": False}, "sessionId": self._session}
        os.write(self._commands, json.dumps(answer).encode() + b"\0")


@contextmanager
def chromium(profile: Path) -> Iterator[Browser]:
    """A browser with an empty profile, which resolves no name; skips the test where there is none, which with ``CI`` set is a failure."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        lacking("the pages cannot be opened: Debian's package chromium is not installed")
    (from_us, to_browser), (from_browser, to_us) = os.pipe(), os.pipe()
    theirs = (from_us, to_us)

    def place() -> None:
        # It reads commands from 3 and writes answers to 4; by way of high numbers, for one of the two may be in the other's place.
        high = [os.dup2(fd, 100 + number) for number, fd in enumerate(theirs)]
        for number, fd in enumerate(high, start=3):
            os.dup2(fd, number, inheritable=True)

    process = subprocess.Popen(
        [program, *SWITCHES, f"--user-data-dir={profile}", "about:blank"],
        preexec_fn=place,
        close_fds=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for fd in theirs:
            os.close(fd)
        yield Browser(to_browser, from_browser)
    finally:
        # It ends when nobody can command it any more.
        os.close(to_browser)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(from_browser)
