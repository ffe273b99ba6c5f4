"""Float32 numbers a second through eager, ONNX Runtime and the float64 truth, compared or not.

    python -m tests.bench.exhaustive NAME PIECES JOBS

Prints one line of JSON. The pieces are spread evenly over the whole line; both ways take the same
pieces, by turns, in the same processes, with the same chunks and memory settings.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import sys
import time

from exportcheck.exhaustive import line
from exportcheck.exhaustive.figures import Figures
from exportcheck.exhaustive.preparing import prepare
from exportcheck.subject import subject

ROUNDS = 3
TARGET = "onnx-trace-opset17"


def main(name: str, count: int, jobs: int) -> None:
    """Measures one activation."""
    # An odd step, or only one sign would be met.
    pieces = list(line.outward()[:: line.COUNT // count | 1])
    context = multiprocessing.get_context("spawn")
    together, answers = context.Barrier(jobs), context.SimpleQueue()
    processes = [
        context.Process(target=_process, args=(name, pieces[i::jobs], together, answers))
        for i in range(jobs)
    ]
    for process in processes:
        process.start()
    rounds = [answers.get() for _ in processes]
    for process in processes:
        process.join()
    facts = {"name": name, "numbers": len(pieces) * line.PIECE, "jobs": jobs}
    for way in ("plain", "compared"):
        turns = range(ROUNDS)
        # A round is over when the last process is.
        facts[f"{way}_s"] = min(max(r[f"{way}_s"][turn] for r in rounds) for turn in turns)
        facts[f"{way}_cpu_s"] = min(sum(r[f"{way}_cpu_s"][turn] for r in rounds) for turn in turns)
    facts["peak_mb"] = sum(r["peak_mb"] for r in rounds)
    print(json.dumps(facts))


def _process(name, pieces, together, answers) -> None:
    """One process's share, every round begun when all are there."""
    import torch

    torch.set_num_threads(1)
    prover = prepare(subject(name, "bare"), [(TARGET, "onnxruntime")], None).prover
    _compared(prover, pieces[:1])
    found = {"plain_s": [], "plain_cpu_s": [], "compared_s": [], "compared_cpu_s": []}
    for _ in range(ROUNDS):
        for way, run in (("plain", _plainly), ("compared", _compared)):
            together.wait()
            begun, cpu = time.perf_counter(), time.process_time()
            run(prover, pieces)
            found[f"{way}_s"].append(time.perf_counter() - begun)
            found[f"{way}_cpu_s"].append(time.process_time() - cpu)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    answers.put({**found, "peak_mb": peak})


def _compared(prover, pieces) -> None:
    figures = Figures()
    for piece in pieces:
        figures.add(prover.measure(piece))


def _plainly(prover, pieces) -> None:
    """What `measure` does, less every comparison."""
    for piece in pieces:
        first = line.first_bits(piece)
        for start in range(first, first + line.PIECE, prover.size):
            prover.answers(start)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
