"""Whether one module computes what another does: in eager PyTorch, on every input class."""

from __future__ import annotations

import copy
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Dict, FrozenSet, List, Optional, Sequence, Tuple, Union

import numpy as np

from exportcheck import inputs
from exportcheck.compare import Tolerance, compare, tolerance_for
from exportcheck.inputs import InputClass
from exportcheck.judge import compared, described, verdict
from exportcheck.laws import law_of
from exportcheck.results import Comparison
from exportcheck.rewrites.interface import Proof, Refuted
from exportcheck.rewrites.slopes import Slopes, compare_slopes
from exportcheck.subject import Expected, Subject, run_eager
from exportcheck.trees import leaves

if TYPE_CHECKING:
    from torch import nn
