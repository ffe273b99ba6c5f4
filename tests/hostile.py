"""A worker whose catalogue has modules that abort, hang, exit, fork or print while being traced.

`python -m tests.hostile` speaks the worker's protocol, as `python -m exportcheck.worker` does. In
eager mode each module is a plain ReLU, so that only the stage `export` sees it misbehave.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import torch
from torch import nn

from exportcheck import worker
from exportcheck.catalog import Activation, activations


class Aborts(nn.Module):
    def forward(self, x):
        if torch.jit.is_tracing():
            os.abort()
        return torch.relu(x)


class Sleeps(nn.Module):
    def forward(self, x):
        if torch.jit.is_tracing():
            time.sleep(3600)
        return torch.relu(x)


class Prints(nn.Module):
    def forward(self, x):
        if torch.jit.is_tracing():
            print('{"event": "result", "result": "from Python"}')
            os.write(1, b'{"event": "result"} from C\n')
            subprocess.run(["echo", "from a child"], check=True)
            sys.stderr.write("a warning on stderr\n")
        return torch.relu(x)


class Exits(nn.Module):
    def forward(self, x):
        if torch.jit.is_tracing():
            sys.exit(0)
        return torch.relu(x)


class DiesQuietly(nn.Module):
    def forward(self, x):
        if torch.jit.is_tracing():
            os._exit(7)
        return torch.relu(x)


MISBEHAVING = {
    "aborts": Aborts,
    "sleeps": Sleeps,
    "prints": Prints,
    "exits": Exits,
    "dies-quietly": DiesQuietly,
}


def main() -> None:
    for name, module in MISBEHAVING.items():
        path = f"{__spec__.name}.{module.__name__}"
        activations()[name] = Activation(name, "hostile", path, "max(x,0)", "tests")
    worker.main()


if __name__ == "__main__":
    main()
