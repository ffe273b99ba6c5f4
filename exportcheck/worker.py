"""The process that checks cases: JSON lines in, JSON lines out. `python -m exportcheck.worker`.

In, one line a case: `{"case": {"activation": …, …}, "strict": false}`.
Out: `{"event": "ready", "versions": {…}}` once, `{"event": "stage", "stage": …}` as each stage of a
case begins, `{"event": "result", "result": {…}}` as it ends. A closed stdin ends the process.

Exporters print. The protocol therefore keeps a private copy of stdout, and whatever is written to
stdout or stderr, by C++ too, lands in the file that the runner opened as stderr.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import sys
from typing import IO, Any

from exportcheck import exporter_memo
from exportcheck.check import check
from exportcheck.logs import tidy
from exportcheck.records import result_to_json
from exportcheck.results import Case, Stage

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
    registration = logging.getLogger("torch.onnx._internal.exporter._registration")
    registration.addFilter(_is_news)
    import torch

    torch.set_num_threads(1)
    stock = os.environ.get(exporter_memo.SWITCH) == "1"
    memo = "nothing" if stock else exporter_memo.apply()
    return {"python": sys.version.split()[0], "torch": torch.__version__, "exporter_memo": memo}


def _is_news(record: logging.LogRecord) -> bool:
    """False for what PyTorch says four times in every export and no activation needs."""
    return "torchvision is not installed" not in record.getMessage()


def _serve(request: dict[str, Any], replies: IO[str]) -> None:
    start = os.fstat(2).st_size
    case = Case(**request["case"])
    result = check(case, lambda stage: _announce(stage, replies), strict=request["strict"])
    sys.stdout.flush()
    sys.stderr.flush()
    result = dataclasses.replace(result, log=read_log(start))
    _send(replies, event="result", result=result_to_json(result))


def _announce(stage: Stage, replies: IO[str]) -> None:
    _send(replies, event="stage", stage=stage.value)


def _send(replies: IO[str], **message: Any) -> None:
    replies.write(json.dumps(message) + "\n")
    replies.flush()


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
