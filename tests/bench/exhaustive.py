"""Float32 numbers a second through eager, ONNX Runtime and the float64 truth, compared or not.

    python -m tests.bench.exhaustive NAME PIECES JOBS

Prints one line of JSON. The pieces are spread evenly over the whole line; both ways take the same
pieces, by turns, with the same threads, chunks and memory settings.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import time

from exportcheck.exhaustive import line
from exportcheck.exhaustive.figures import Figures
from exportcheck.exhaustive.preparing import prepare
from exportcheck.exhaustive.prover import Prover, prove
from exportcheck.subject import subject

ROUNDS = 3
TARGET = "onnx-trace-opset17"


def main(name: str, count: int, jobs: int) -> None:
    """Measures one activation."""
    import torch

    torch.set_num_threads(1)
    ready = prepare(subject(name, "bare"), [(TARGET, "onnxruntime")], None)
    proving = ready.proving
    # An odd step, or only one sign would be met.
    pieces = list(line.outward()[:: line.COUNT // count | 1])
    list(prove(proving, pieces[:jobs], jobs))  # warms up, and has the memory settings made
    plain, compared = [], []
    for _ in range(ROUNDS):
        plain.append(_timed(lambda: _plainly(proving, pieces, jobs)))
        compared.append(_timed(lambda: _compared(proving, pieces, jobs)))
    numbers = len(pieces) * line.PIECE
    print(
        json.dumps(
            {
                "name": name,
                "numbers": numbers,
                "jobs": jobs,
                "plain_s": min(seconds for seconds, _ in plain),
                "compared_s": min(seconds for seconds, _ in compared),
                "plain_cpu_s": min(cpu for _, cpu in plain),
                "compared_cpu_s": min(cpu for _, cpu in compared),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
            }
        )
    )


def _timed(call) -> tuple[float, float]:
    """Seconds from start to end, and of processor time, which other programs disturb less."""
    begun, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - begun, time.process_time() - cpu


def _compared(proving, pieces, jobs) -> None:
    figures = Figures()
    for _, one in prove(proving, pieces, jobs):
        figures.add(one)


def _plainly(proving, pieces, jobs) -> None:
    """What `prove` does, less every comparison."""
    waiting, lock = iter(pieces), threading.Lock()

    def work():
        with lock:
            prover = Prover(proving)
        while True:
            with lock:
                piece = next(waiting, None)
            if piece is None:
                return
            first = line.first_bits(piece)
            for start in range(first, first + line.PIECE, prover.size):
                prover.answers(start)

    threads = [threading.Thread(target=work) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
