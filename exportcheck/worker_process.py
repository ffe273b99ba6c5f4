"""What a worker can be asked, and what comes of it: a result, a refusal, a crash, a timeout."""

from __future__ import annotations

import os
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from exportcheck.catalog import activations
from exportcheck.errors import BadModule
from exportcheck.records import result_from_json, result_to_json
from exportcheck.results import Case, Result, Stage, Status
from exportcheck.worker_pipe import WorkerDied, WorkerPipe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from exportcheck.custom.module_spec import ModuleSpec


class WorkerProcess(WorkerPipe):
    """A running worker, one method for each request that `exportcheck.worker` serves."""

    def check(
        self,
        case: Case,
        timeout_s: float,
        *,
        strict: bool = False,
        module: ModuleSpec | None = None,
    ) -> Result:
        """The result of `case`; after status crash or timeout this worker is gone.

        Args:
            case: what to check.
            timeout_s: after so many seconds the worker is ended.
            strict: whether every input class gates.
            module: the user's module that the case is about; None for one of the catalogue.

        Raises:
            WorkerDied: it was already dead when asked, so the case was never begun.
        """
        log_start = os.fstat(self._log.fileno()).st_size
        start = time.monotonic()
        stage: Stage | None = None
        try:
            self._send(
                {
                    "case": asdict(case),
                    "strict": strict,
                    "module": module.to_json() if module else None,
                }
            )
            while True:
                reply = self._next(start + timeout_s)
                if reply["event"] == "result":
                    return result_from_json(reply["result"])
                stage = Stage(reply["stage"])
        except TimeoutError:
            where = self._where(log_start)
            self.kill()
            status = Status.TIMEOUT
            message = f"no answer within {timeout_s:g} s{where}; the worker was ended"
        except WorkerDied:
            if stage is None:
                self.kill()
                raise
            where = self._where(log_start)
            status, message = Status.CRASH, f"the worker died {self._cause_of_death()}{where}"
            self.kill()
        return Result(
            case=case,
            family=_family(case),
            status=status,
            stage=stage or Stage.BUILD,
            message=message,
            durations_s={"total": time.monotonic() - start},
            log=self._logged(log_start),
        )

    def inspect(self, module: ModuleSpec, network: str, timeout_s: float) -> dict[str, Any]:
        """What `inspecting.inspect_module` finds out; after it raises, this worker may be gone.

        Args:
            module: a user's.
            network: what it stands in.
            timeout_s: after so many seconds the worker is ended.

        Raises:
            DiesTraced: the process died or hung while it was traced.
            BadModule: it cannot be checked, or the process died or hung in the user's code.
            WorkerDied: it was already dead when asked.
        """
        request = {"inspect": {"module": module.to_json(), "network": network}}
        return dict(self._ask(request, "inspected", timeout_s)["facts"])

    def rewrite(
        self, module: ModuleSpec | None, case: Case, targets: Sequence[str], timeout_s: float
    ) -> dict[str, Any]:
        """`found` and `refuted` of `rewrites.find`, and the `code` to paste; else as `inspect`.

        Args:
            module: a user's; None for the activation of `case`.
            case: of which the activation and the network count.
            targets: the names of those that fail.
            timeout_s: after so many seconds the worker is ended.

        Raises:
            BadModule: the process died or hung in the user's code.
            WorkerDied: it was already dead when asked.
        """
        asked = {
            "module": module.to_json() if module else None,
            "activation": case.activation,
            "network": case.network,
            "targets": list(targets),
        }
        return self._ask({"rewrite": asked}, "rewrites", timeout_s)

    def hold_against(
        self, reference: str, module: ModuleSpec | None, case: Case, timeout_s: float
    ) -> dict[str, Any]:
        """`proof` or `refuted`, as `rewrites.same_as` gives them, and None; else as `rewrite`.

        Args:
            reference: dotted name of what the module claims to be.
            module: a user's; None for the activation of `case`.
            case: of which the activation and the network count.
            timeout_s: after so many seconds the worker is ended.

        Raises:
            BadModule: the reference cannot be made, or the process died or hung.
            WorkerDied: it was already dead when asked.
        """
        asked = {
            "module": module.to_json() if module else None,
            "activation": case.activation,
            "network": case.network,
            "name": reference,
        }
        return self._ask({"reference": asked}, "reference", timeout_s)

    def reproduce(
        self, module: ModuleSpec | None, result: Result, folder: Path, timeout_s: float
    ) -> dict[str, Any]:
        """`path`, that of the submodule that still fails; else as `rewrite`.

        Args:
            module: a user's; None for the activation of the case.
            result: the case and how it failed.
            folder: to write, an absolute path.
            timeout_s: after so many seconds the worker is ended.

        Raises:
            BadModule: the folder cannot be written, or the process died or hung.
            WorkerDied: it was already dead when asked.
        """
        ended = result.status in (Status.CRASH, Status.TIMEOUT)
        asked = {
            "module": module.to_json() if module else None,
            "case": asdict(result.case),
            "folder": str(folder),
            "ended": result_to_json(result) if ended else None,
        }
        return self._ask({"repro": asked}, "reproduced", timeout_s)

    def prepare(
        self,
        module: ModuleSpec | None,
        activation: str,
        runs: Sequence[tuple[str, str]],
        timeout_s: float,
    ) -> dict[str, Any]:
        """`key`, `truth`, `runs` and `refused` of a proof over every input; else as `rewrite`.

        Args:
            module: a user's; None for `activation`.
            activation: of the catalogue.
            runs: target and runtime of each.
            timeout_s: after so many seconds the worker is ended.

        Raises:
            BadModule: every input cannot be tried, or the process died or hung.
            WorkerDied: it was already dead when asked.
        """
        asked = {
            "module": module.to_json() if module else None,
            "activation": activation,
            "runs": [list(run) for run in runs],
        }
        return self._ask({"prepare": asked}, "prepared", timeout_s)

    def prove(
        self, pieces: Sequence[int], timeout_s: float
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """The figures of each piece as it is finished, of what was prepared last.

        Args:
            pieces: the pieces.
            timeout_s: after so many seconds without a piece the worker is ended.

        Raises:
            BadModule: the process hung, or the module or a runtime raised something.
            WorkerDied: the process has died.
        """
        self._send({"prove": {"pieces": list(pieces)}})
        try:
            while (reply := self._next(time.monotonic() + timeout_s))["event"] == "piece":
                yield reply["piece"], reply["figures"]
        except TimeoutError:
            self.kill()
            raise BadModule(f"trying every input gives nothing within {timeout_s:g} s") from None
        except WorkerDied:
            self.kill()
            raise
        if reply["event"] == "refused":
            raise BadModule(reply["message"])

    def cost(self, family: str, rounds: int, timeout_s: float) -> dict[str, Any]:
        """The figures of a family's forms, as `costing.measure_costs` gives them.

        Args:
            family: of the catalogue.
            rounds: how often each form is timed.
            timeout_s: after so many seconds the worker is ended.

        Raises:
            BadModule: the process died or hung.
            WorkerDied: it was already dead when asked.
        """
        request = {"cost": {"family": family, "rounds": rounds}}
        return dict(self._ask(request, "costs", timeout_s)["costs"])


def _family(case: Case) -> str:
    known = activations().get(case.activation)
    return known.family if known else ""
