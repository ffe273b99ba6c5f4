"""A plain loop in one process over the same cells: eager, export, save, load, run, nothing else.

    python -m tests.bench.single stock|memo SHARE

Prints one line of JSON: seconds in all, of processor time, and by kind of call. `stock` leaves
PyTorch and its threads as they come; `memo` is what a worker has: exporters memoised, heap frozen,
one thread.
"""

from __future__ import annotations

import json
import os
import sys
import time

BEGUN = time.perf_counter()


def main(kind: str, share: int) -> None:
    """Runs the loop; whatever the libraries print goes nowhere."""
    answers = os.fdopen(os.dup(1), "w")
    for descriptor in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    os.environ["TQDM_DISABLE"] = "1"
    if kind == "memo":
        os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
        import torch

        from exportcheck import exporter_memo

        torch.set_num_threads(1)
        exporter_memo.apply()

    from tests.bench.cells import cells

    took: dict[str, float] = {}
    chosen = cells(share)
    finished = 0
    for case in chosen:
        finished += _take(case, took)
        if kind == "memo":
            exporter_memo.freeze()
    seconds = time.perf_counter() - BEGUN
    answers.write(
        json.dumps(
            {
                "cases": len(chosen),
                "finished": finished,
                "seconds": seconds,
                "cpu_s": time.process_time(),
                **took,
            }
        )
        + "\n"
    )


def _take(case, took: dict[str, float]) -> bool:
    """One cell; whatever is raised ends it, as it does in the tool."""
    import tempfile
    from contextlib import contextmanager
    from pathlib import Path

    from exportcheck.subject import FromCatalogue, run_eager
    from exportcheck.targets import targets

    @contextmanager
    def timed(name):
        begun = time.perf_counter()
        try:
            yield
        finally:
            took[name] = took.get(name, 0.0) + time.perf_counter() - begun

    from exportcheck.catalog import activations

    source = FromCatalogue(activations()[case.activation], case.network)
    target = targets()[case.target]
    runtime = next(r for r in target.runtimes if r.name == case.runtime)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"model{target.suffix}"
            given = source.inputs(target.precision)
            with timed("eager"):
                for one in given:
                    one.through(lambda arrays: run_eager(source.build(), arrays))
            with timed("export"):
                exported = target.export(source.build(), source.example())
            with timed("save"):
                target.save(exported, path)
            with timed("load"):
                run = _session(path) if runtime.name == "onnxruntime" else runtime.load(path).run
            with timed("run"):
                for one in given:
                    one.through(run)
    except Exception:  # a cell that fails takes part with the time it took
        return False
    return True


def _session(path):
    """ONNX Runtime and no more: the tool's own runtime asks it for other things besides."""
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [i.name for i in session.get_inputs()]
    return lambda arrays: tuple(session.run(None, dict(zip(names, arrays, strict=True))))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
