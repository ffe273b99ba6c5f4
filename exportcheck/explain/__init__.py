"""Why a family's forms exist, what they cost, whether they are needed: told from measurements."""

from __future__ import annotations
