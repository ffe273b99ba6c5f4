"""A pipe to a worker: JSON lines in, JSON lines out, deadlines, and the end of the process."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from exportcheck.custom.module_spec import TRACING
from exportcheck.errors import BadModule, DiesTraced, EnvironmentBroken
from exportcheck.logs import tidy
from exportcheck.places import dumped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

START_TIMEOUT_S = 180.0
"""Importing PyTorch from a cold disk has been seen to take more than half a minute."""

LOG_TAIL = 20_000

DUMP_S = 0.3
"""How long a worker gets to write down where it is."""

_ENVIRONMENT = {
    # One thread a worker: as many workers as cores, and numbers that do not depend on the machine.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    # A file called onnx.py in the user's folder must not be taken for the package.
    "PYTHONSAFEPATH": "1",
    "TQDM_DISABLE": "1",
}


class WorkerDied(Exception):  # an event, not a mistake of anybody
    """The process ended while a case was with it."""


class WorkerPipe:
    """A running worker, to send requests to and to wait for the answers.

    Args:
        command: the program to start; it must speak the protocol of `exportcheck.worker`.
        environment: variables that it has besides this process's.
        folder: that it runs in; this process's own when absent.

    Raises:
        EnvironmentBroken: it ended, or said nothing, before it was ready.
    """

    def __init__(
        self,
        command: Sequence[str] = (),
        environment: Mapping[str, str] = MappingProxyType({}),
        folder: str | None = None,
    ) -> None:
        # coremltools leaves a package behind for every conversion, and the killed leave everything.
        self._folder = tempfile.TemporaryDirectory(
            prefix="exportcheck-worker-", ignore_cleanup_errors=True
        )
        self._log = tempfile.TemporaryFile("w+b", buffering=0)  # noqa: SIM115  # closed by `close`
        self._process = subprocess.Popen(
            command or (sys.executable, "-m", "exportcheck.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**os.environ, **_ENVIRONMENT, "TMPDIR": self._folder.name, **environment},
            cwd=folder,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is the runner's to handle, and children die together
        )
        self._replies: queue.Queue[dict[str, Any] | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        try:
            self.ready = self._next(time.monotonic() + START_TIMEOUT_S)
        except (WorkerDied, TimeoutError) as error:
            self.kill()
            raise EnvironmentBroken(f"a worker cannot start: {self._last_words()}") from error

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def _ask(self, request: dict[str, Any], answer: str, timeout_s: float) -> dict[str, Any]:
        """The reply whose event is `answer`, the steps before it taken note of."""
        log_start = os.fstat(self._log.fileno()).st_size
        deadline = time.monotonic() + timeout_s
        step = {"step": "it", "place": ""}
        begun = False
        try:
            self._send(request)
            while True:
                reply = self._next(deadline)
                begun = True
                if reply["event"] == answer:
                    return reply
                if reply["event"] == "refused":
                    raise BadModule(reply["message"])
                step = reply
        except TimeoutError:
            place = self._place(log_start) or step["place"]
            self.kill()
            what = f"{step['step']} gives no answer within {timeout_s:g} s"
            raise _refusal(step)(f"{place}: {what}; the process was ended") from None
        except WorkerDied:
            if not begun:
                self.kill()
                raise
            place = self._place(log_start) or step["place"]
            cause = self._cause_of_death()
            self.kill()
            raise _refusal(step)(f"{place}: {step['step']} ends the process, {cause}") from None

    def _where(self, log_start: int) -> str:
        """`, in my.py:9`, or nothing."""
        place = self._place(log_start)
        return f", in {place}" if place else ""

    def _place(self, log_start: int) -> str:
        """The line of a user's code that runs now, or ran last; empty where none is known."""
        if self._process.poll() is None and hasattr(signal, "SIGUSR1"):
            os.kill(self._process.pid, signal.SIGUSR1)
            time.sleep(DUMP_S)
        size = os.fstat(self._log.fileno()).st_size
        data = os.pread(self._log.fileno(), max(0, size - log_start), log_start)
        return dumped(data.decode("utf-8", "replace"))

    def kill(self) -> None:
        """Ends the process and its children at once."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._folder.cleanup()

    def close(self) -> None:
        """Lets the process end by itself, or ends it."""
        with contextlib.suppress(OSError):
            self._process.stdin.close()  # type: ignore[union-attr]  # it is a pipe
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.kill()
        self._folder.cleanup()
        self._log.close()

    def _read(self) -> None:
        for line in self._process.stdout:  # type: ignore[union-attr]  # it is a pipe
            self._replies.put(json.loads(line))
        self._replies.put(None)

    def _next(self, deadline: float) -> dict[str, Any]:
        try:
            reply = self._replies.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise TimeoutError from None
        if reply is None:
            raise WorkerDied
        return reply

    def _send(self, request: dict[str, Any]) -> None:
        to_worker: Any = self._process.stdin  # a pipe, as it was asked to be
        try:
            to_worker.write(json.dumps(request) + "\n")
            to_worker.flush()
        except OSError as error:
            raise WorkerDied from error

    def _cause_of_death(self) -> str:
        code = self._process.wait()
        if code >= 0:
            return f"with exit code {code}"
        try:
            return f"of signal {signal.Signals(-code).name}"
        except ValueError:
            return f"of signal {-code}"

    def _last_words(self) -> str:
        lines = [line for line in self._logged(0).splitlines() if line.strip()]
        return lines[-1] if lines else f"{self._cause_of_death()}, without a word"

    def _logged(self, start: int) -> str:
        size = os.fstat(self._log.fileno()).st_size
        data = os.pread(self._log.fileno(), max(0, size - start), start)
        return tidy(data.decode("utf-8", "replace")[-LOG_TAIL:])


def _refusal(step: Mapping[str, Any]) -> type[BadModule]:
    return DiesTraced if step["step"] == TRACING else BadModule
