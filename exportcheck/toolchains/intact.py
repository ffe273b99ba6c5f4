"""Whether the files of installed packages are those that their wheels brought.

A package of which files are gone or emptied raises in the middle of an export, and that would be
taken for the exporter's fault. Only existence and size are looked at: ten thousand files take some
hundredths of a second, so that it can be done before every run.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from typing import TYPE_CHECKING

from exportcheck.errors import EnvironmentBroken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


def check_files(packages: Path) -> None:
    """Holds the files of a folder of packages against the RECORD of each distribution in it.

    Raises:
        EnvironmentBroken: one is missing or of another size; names the first, and how many more.
    """
    sizes = _recorded(packages)
    wrong = [text for name, some in sizes.items() if (text := _wrong(packages / name, name, some))]
    if wrong:
        more = f", and {len(wrong) - 1} more" if wrong[1:] else ""
        raise EnvironmentBroken(wrong[0] + more)


def _recorded(packages: Path) -> Mapping[str, set[int]]:
    """The sizes that each file may have: where distributions share one, the last of them won."""
    found: dict[str, set[int]] = defaultdict(set)
    for record in sorted(packages.glob("*.dist-info/RECORD")):
        for name, size in _rows(record):
            if size.isdecimal() and not name.startswith(_OUTSIDE):
                found[name].add(int(size))
    return found


def _rows(record: Path) -> Iterator[tuple[str, str]]:
    """Name and size of each file that a RECORD lists; compiled ones and itself have no size."""
    try:
        with record.open(encoding="utf-8", newline="") as lines:
            for name, _, size in csv.reader(lines):
                yield name, size
    except (OSError, ValueError, csv.Error) as error:
        raise EnvironmentBroken(f"{record.parent.name}/RECORD cannot be read: {error}") from error


_OUTSIDE = ("..", "/")
"""Scripts, none of which is run here, lie elsewhere where pip was given a folder."""


def _wrong(file: Path, name: str, sizes: set[int]) -> str:
    """What is wrong with a file; nothing where all is well."""
    try:
        size = file.stat().st_size
    except (OSError, ValueError):
        return f"{name} is missing"
    if size in sizes:
        return ""
    return f"{name} is {size} bytes, {' or '.join(map(str, sorted(sizes)))} were installed"
