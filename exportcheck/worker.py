"""The process that checks cases: JSON lines in, JSON lines out. `python -m exportcheck.worker`.

In, one line a request, each with what it is to do:

* `{"case": {"activation": …, …}, "strict": false}`, for a user's module with its spec as "module":
  `{"event": "stage", "stage": …}` as each stage begins, `{"event": "result", "result": {…}}`;
* `{"inspect": {"module": {…}, "network": …}}`: `{"event": "step", "step": …, "place": …}` before
  user code runs, then `{"event": "inspected", "facts": {…}}`;
* `{"rewrite": {"module": {…} or null, "activation": …, "network": …, "targets": […]}}`:
  `{"event": "rewrites", "found": […], "refuted": […], "code": …}`, all that is found as one text;
* `{"reference": {"module": …, "activation": …, "network": …, "name": …}}`: whether it computes what
  the named one does: `{"event": "reference", "proof": {…} or null, "refuted": {…} or null}`.

* `{"prepare": {"module": …, "activation": …, "runs": [[target, runtime], …]}}`: makes ready for a
  proof over every input: `{"event": "prepared", "key": …, "answers": …, "truth": …, "runs": …,
  "refused": …}`;
* `{"prove": {"pieces": […]}}`, after that: `{"event": "piece", "piece": …, "figures": …}` for each
  as it is finished, then `{"event": "proved"}`;
* `{"repro": {"module": …, "case": {…}, "folder": …, "ended": {…} or null}}`: writes the folder:
  `{"event": "reproduced", "path": …}`, the path of the submodule that still fails;
* `{"cost": {"family": …, "rounds": …}}`: times the forms: `{"event": "costs", "costs": {…}}`.

Out besides: `{"event": "ready", "versions": {…}}` once, and `{"event": "refused", "message": …}` in
place of the answer where a user's module cannot be used. A closed stdin ends the process.

Exporters print. The protocol therefore keeps a private copy of stdout, and whatever is written to
stdout or stderr, by C++ too, lands in the file that the runner opened as stderr.
"""

from __future__ import annotations

import dataclasses
import faulthandler
import json
import logging
import os
import signal
import sys
import traceback
import warnings
from functools import partial
from pathlib import Path
from typing import IO, Any

from exportcheck import exporter_memo
from exportcheck.custom.inspecting import inspect_module
from exportcheck.custom.module_spec import spec_from_json
from exportcheck.custom.modules import module_subject
from exportcheck.custom.resolving import complaint
from exportcheck.errors import BadModule
from exportcheck.judge import described
from exportcheck.logs import NEWSMONGER, is_news, tidy
from exportcheck.records import result_from_json, result_to_json
from exportcheck.results import Case
from exportcheck.stages import check
from exportcheck.subject import Subject, subject

LOG_LIMIT = 20_000
"""Characters of a case's log that its result keeps, from the end."""


def main() -> None:
    """Serves cases until stdin closes."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    _send(replies, event="ready", **_prepare())
    for line in requests:
        _serve(json.loads(line), replies)
        exporter_memo.freeze()


def _prepare() -> Any:
    """Imports PyTorch and quiets the libraries; returns what the runner is told of this process."""
    os.environ["TQDM_DISABLE"] = "1"
    faulthandler.enable(all_threads=False)
    if hasattr(signal, "SIGUSR1"):
        # The runner asks for the line where a module hangs before it ends the process.
        faulthandler.register(signal.SIGUSR1, all_threads=False)
    logging.getLogger(NEWSMONGER).addFilter(is_news)
    import torch

    torch.set_num_threads(1)
    stock = os.environ.get(exporter_memo.SWITCH) == "1"
    memo = "nothing" if stock else exporter_memo.apply()
    return {"python": sys.version.split()[0], "torch": torch.__version__, "exporter_memo": memo}


def _serve(request: dict[str, Any], replies: IO[str]) -> None:
    try:
        if "case" in request:
            _serve_case(request, replies)
        elif "inspect" in request:
            _serve_inspection(request["inspect"], replies)
        elif "rewrite" in request:
            _serve_rewrites(request["rewrite"], replies)
        elif "reference" in request:
            _serve_reference(request["reference"], replies)
        elif "prepare" in request:
            _serve_preparation(request["prepare"], replies)
        elif "prove" in request:
            _serve_proof(request["prove"], replies)
        elif "cost" in request:
            _serve_costs(request["cost"], replies)
        else:
            _serve_reproduction(request["repro"], replies)
    except BadModule as refusal:
        _send(replies, event="refused", message=str(refusal))
    except (Exception, SystemExit) as error:  # a user's code may raise anything anywhere
        traceback.print_exc()
        _send(replies, event="refused", message=str(complaint(error, "", "looking at it")))


def _serve_case(request: dict[str, Any], replies: IO[str]) -> None:
    start = os.fstat(2).st_size
    case = Case(**request["case"])
    module = request.get("module")
    with warnings.catch_warnings():  # else Python tells a warning once a process, in one case's log
        result = check(
            case,
            lambda stage: _send(replies, event="stage", stage=stage.value),
            strict=request["strict"],
            find=partial(_subject, module, case.activation, case.network),
        )
    sys.stdout.flush()
    sys.stderr.flush()
    result = dataclasses.replace(result, log=read_log(start))
    _send(replies, event="result", result=result_to_json(result))


def _subject(module: dict[str, Any] | None, activation: str, network: str) -> Subject:
    if module is None:
        return subject(activation, network)
    return module_subject(spec_from_json(module), network)


def _serve_inspection(request: dict[str, Any], replies: IO[str]) -> None:
    def announce(step: str, place: str) -> None:
        _send(replies, event="step", step=step, place=place)

    facts = inspect_module(spec_from_json(request["module"]), request["network"], announce)
    _send(replies, event="inspected", facts=facts)


def _serve_rewrites(request: dict[str, Any], replies: IO[str]) -> None:
    from exportcheck import rewrites

    what = _subject(request["module"], request["activation"], request["network"])
    found, refuted = rewrites.find(what, request["targets"])
    _send(
        replies,
        event="rewrites",
        found=[dataclasses.asdict(one) for one in found],
        refuted=[dataclasses.asdict(one) for one in refuted],
        code=rewrites.joined([(one.definition, one.swap) for one in found]),
    )


def _serve_reference(request: dict[str, Any], replies: IO[str]) -> None:
    from exportcheck import rewrites

    what = _subject(request["module"], request["activation"], request["network"])
    answer = rewrites.same_as(request["name"], what)
    proved = isinstance(answer, rewrites.Proof)
    said = dataclasses.asdict(answer)
    _send(
        replies, event="reference", proof=said if proved else None, refuted=None if proved else said
    )


_prepared: list[Any] = []
"""What was made ready last; the files in it stay until something else is."""


def _serve_preparation(request: dict[str, Any], replies: IO[str]) -> None:
    from exportcheck.exhaustive.preparing import prepare

    what = _subject(request["module"], request["activation"], "bare")
    runs = [(target, runtime) for target, runtime in request["runs"]]
    _send(replies, event="step", step="making ready for every input", place=what.place)
    _prepared[:] = [prepare(what, runs, request["module"])]
    ready = _prepared[0]
    _send(
        replies,
        event="prepared",
        key=ready.key,
        answers=ready.answers,
        truth=ready.prover.proving.wide,
        runs=list(ready.prover.proving.load),
        refused=ready.refused,
    )


def _serve_proof(request: dict[str, Any], replies: IO[str]) -> None:
    prover = _prepared[0].prover
    try:
        for piece in request["pieces"]:
            figures = prover.measure(piece)
            _send(replies, event="piece", piece=piece, figures=figures.to_json())
    except Exception as error:  # the module and the runtimes may raise anything for some input
        traceback.print_exc()
        raise BadModule(f"trying every input fails: {described(error)}") from error
    _send(replies, event="proved")


def _serve_reproduction(request: dict[str, Any], replies: IO[str]) -> None:
    from exportcheck.custom.reproducing import reproduce

    case = Case(**request["case"])
    spec = spec_from_json(request["module"]) if request["module"] else None
    ended = result_from_json(request["ended"]) if request["ended"] else None
    what = _subject(request["module"], case.activation, case.network)
    _send(replies, event="step", step="the reduction", place=what.place)
    small = reproduce(what, case, spec, Path(request["folder"]), ended)
    _send(replies, event="reproduced", path=small.path)


def _serve_costs(request: dict[str, Any], replies: IO[str]) -> None:
    from exportcheck.costing import measure_costs

    costs = measure_costs(request["family"], request["rounds"])
    _send(replies, event="costs", costs=costs)


def _send(replies: IO[str], **message: Any) -> None:
    # What a user's forward forks comes back here too, and must not answer in our name.
    if os.getpid() != _PROCESS:
        os._exit(0)
    replies.write(json.dumps(message) + "\n")
    replies.flush()


_PROCESS = os.getpid()


def read_log(start: int) -> str:
    """What was written to stderr from offset `start` on, tidied, its last `LOG_LIMIT` characters.

    Empty where stderr is no file, as when a person runs the worker on a terminal.
    """
    try:
        data = os.pread(2, max(0, os.fstat(2).st_size - start), start)
    except OSError:
        return ""
    return tidy(data.decode("utf-8", "replace")[-LOG_LIMIT:])


if __name__ == "__main__":
    main()
