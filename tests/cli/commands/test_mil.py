from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import exportcheck.mil
from exportcheck.cli import app
from exportcheck.cli.commands import mil as module
from exportcheck.errors import EXIT_BROKEN, EXIT_USAGE, EnvironmentBroken, InvalidModel, UsageError
from tests.mil.conftest import copied, made  # noqa: F401  # fixtures of the evaluator's tests
from tests.mil.packages import edited
