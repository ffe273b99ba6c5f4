"""Modules that cannot be checked, one for each way; the tests look up their lines by name."""

from __future__ import annotations

import os
import sys
import time

import torch
from torch import nn

NUMBER = 3


class Plain:
    pass


class Constructor(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        raise ValueError("no good")  # line of Constructor

    def forward(self, x):
        return x


class Wants(nn.Module):  # line of Wants
    def __init__(self, width) -> None:
        super().__init__()

    def forward(self, x):
        return x


class Divides(nn.Module):
    def forward(self, x):
        return x / (1 // 0)  # line of Divides


class Shape(nn.Module):
    def forward(self, x):
        _a, _b, _c, _d, _e = x.shape  # line of Shape
        return x


class Text(nn.Module):
    def forward(self, x):  # line of Text
        return "text"


class Nothing(nn.Module):
    def forward(self, x):  # line of Nothing
        pass


class Random(nn.Module):
    def forward(self, x):  # line of Random
        return x + torch.rand_like(x)


class Caches(nn.Module):
    """The same on the same inputs; on others what the first ones left."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = None

    def forward(self, x):  # line of Caches
        if self.mean is None:
            self.mean = x.mean()
        return torch.tanh(x) + self.mean


class Picks(nn.Module):
    """The same with whole numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.first = None

    def forward(self, index):  # line of Picks
        if self.first is None:
            self.first = index[0, 0]
        return index + self.first


class Counts(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x):  # line of Counts
        self.calls += 1
        return x + self.calls


class Cuda(nn.Module):
    def forward(self, x):
        return x.cuda()  # line of Cuda


class Exits(nn.Module):
    def forward(self, x):
        sys.exit(3)  # line of Exits


class Forks(nn.Module):
    def forward(self, x):
        if os.fork() == 0:  # line of Forks
            time.sleep(3600)
        return x


class Prints(nn.Module):
    def forward(self, x):
        print('{"event": "inspected", "facts": {}}')  # line of Prints
        return torch.relu(x)


class Overwrites(nn.Module):
    def forward(self, x):  # line of Overwrites
        return x.mul_(torch.sigmoid(x))


class Dies(nn.Module):
    def forward(self, x):  # line of Dies
        os._exit(7)


class Aborts(nn.Module):
    def forward(self, x):
        os.abort()  # line of Aborts


class TracedDies(nn.Module):
    def forward(self, x):
        if torch.jit.is_tracing():
            os._exit(7)  # line of TracedDies
        return torch.relu(x)


class TracedSleeps(nn.Module):
    def forward(self, x):
        if torch.jit.is_tracing():
            time.sleep(3600)  # line of TracedSleeps
        return torch.relu(x)


class Sleeps(nn.Module):
    def forward(self, x):
        time.sleep(3600)  # line of Sleeps


class Spins(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        sum(iter(int, 1))  # line of Spins

    def forward(self, x):
        return x
