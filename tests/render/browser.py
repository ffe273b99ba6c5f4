"""A headless Chromium spoken to over its DevTools pipe: two descriptors, zeros between messages."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--headless",
    "--no-sandbox",  # which the superuser, in containers, must give up
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
PATIENCE_S = 30


class Browser:
    """One page of one browser with an empty profile; a context manager."""

    def __enter__(self) -> Browser:
        self._profile = tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True)
        from_us, self._to = os.pipe()
        self._from, to_us = os.pipe()
        # The browser reads its descriptor 3 and writes its descriptor 4.
        profile = f"--user-data-dir={self._profile.name}"
        command = f'exec "$@" 3<&{from_us} 4>&{to_us}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, "bash", CHROMIUM, *FLAGS, profile, "about:blank"],
            pass_fds=(from_us, to_us),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(from_us)
        os.close(to_us)
        os.set_blocking(self._from, False)
        self._buffer, self._id, self._session, self.events = b"", 0, None, []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(PATIENCE_S)
        os.close(self._to)
        os.close(self._from)
        self._profile.cleanup()

    def send(self, method: str, **params):
        """What the browser answers; events that come first are kept in `events`."""
        self._id += 1
        message = {"id": self._id, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._to, data) :]
        while True:
            answer = self._read()
            if answer.get("id") == self._id:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]
            self.events.append(answer)

    def _read(self):
        until = time.monotonic() + PATIENCE_S
        while b"\0" not in self._buffer:
            assert self._process.poll() is None, "the browser ended"
            assert time.monotonic() < until, "the browser does not answer"
            try:
                self._buffer += os.read(self._from, 1 << 20)
            except BlockingIOError:
                time.sleep(0.002)
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def open(self, path, fragment=""):
        """Opens a file and waits until its script has built the page."""
        self.events.clear()
        self.send("Page.navigate", url="about:blank")
        self.send("Page.navigate", url=path.as_uri() + fragment)
        self.wait("document.documentElement?.dataset.ready === 'true'")

    def wait(self, condition: str):
        """Waits until `condition` holds on the page."""
        until = time.monotonic() + PATIENCE_S
        while not self.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < until, f"still not so: {condition}"
            time.sleep(0.02)

    def evaluate(self, expression: str):
        """The JSON value of a JavaScript expression on the page."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def press(self, key: str):
        """Presses and releases a key, for example `ArrowDown`, `Enter`, `a`."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        for kind in ("keyDown", "keyUp"):
            down = {"text": text} if kind == "keyDown" and text else {}
            self.send(
                "Input.dispatchKeyEvent", type=kind, key=key, **down, **KEY_CODES.get(key, {})
            )

    def resize(self, width: int, height: int):
        """Makes the page that large, in CSS pixels."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def emulate(self, **features: str):
        """For example `prefers_color_scheme="dark"`; `media="print"` is the medium itself."""
        media = features.pop("media", "")
        pairs = [{"name": k.replace("_", "-"), "value": v} for k, v in features.items()]
        self.send("Emulation.setEmulatedMedia", media=media, features=pairs)

    def screenshot(self) -> bytes:
        """What is to be seen, as PNG."""
        return base64.b64decode(self.send("Page.captureScreenshot")["data"])

    def problems(self) -> list[str]:
        """Exceptions, errors on the console, refused resources and requests since `open`."""
        self.evaluate("0")
        return [
            json.dumps(event["params"])[:500]
            for event in self.events
            if event["method"] in ("Runtime.exceptionThrown", "Log.entryAdded")
            or (event["method"] == "Network.requestWillBeSent" and is_remote(event))
        ]


def is_remote(event) -> bool:
    return not event["params"]["request"]["url"].startswith(("file:", "data:", "about:"))


KEY_CODES = {
    name: {"windowsVirtualKeyCode": code, "code": name}
    for name, code in {
        "Enter": 13,
        "Escape": 27,
        "End": 35,
        "Home": 36,
        "ArrowLeft": 37,
        "ArrowUp": 38,
        "ArrowRight": 39,
        "ArrowDown": 40,
        "Tab": 9,
    }.items()
}
