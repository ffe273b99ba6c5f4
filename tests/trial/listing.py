"""What is tried: `modules.toml`, and what there is to say of it, `surprises.toml`."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BEHIND = (HERE / "behind_torchvision.py").relative_to(ROOT)


@dataclass(frozen=True)
class Tried:
    """One module of somebody else's.

    Attributes:
        package: the distribution it comes from.
        spec: `package.module:Name`; `here:Name` for what `behind_torchvision.py` imports.
        args: of its constructor.
        inputs: as `--input` takes them; guessed where there are none.
    """

    package: str
    spec: str
    args: dict[str, object] = field(default_factory=dict, hash=False)
    inputs: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Shown in the page, and what an explanation names: `entmax:Sparsemax`."""
        file, _, what = self.spec.rpartition(":")
        first = self.package if file == "here" else file.partition(".")[0]
        args = ", ".join(f"{key}={value!r}" for key, value in self.args.items())
        return f"{first}:{what}" + (f"({args})" if args else "")

    @property
    def slug(self) -> str:
        """A file name that no other module has."""
        return re.sub(r"[^\w.=-]+", "_", self.name).strip("_")

    @property
    def arguments(self) -> list[str]:
        """Those of `exportcheck check`, from the folder of the project."""
        words = [self.spec.replace("here:", f"{BEHIND}:")]
        for key, value in self.args.items():
            words += ["--arg", f"{key}={value!r}"]
        for text in self.inputs:
            words += ["--input", text]
        return words


@dataclass(frozen=True)
class Surprise:
    """Something that was not expected, looked into.

    Attributes:
        title: what it comes to.
        whose: the exporter's, the module's, or ours and mended.
        text: the explanation.
        modules: the names of the modules it is about.
    """

    title: str
    whose: str
    text: str
    modules: tuple[str, ...]


def tried() -> list[Tried]:
    """Every module of the list, in its order."""
    found = tomllib.loads((HERE / "modules.toml").read_text("utf-8"))
    return [
        Tried(package, one["spec"], one.get("args", {}), tuple(one.get("inputs", ())))
        for package, data in found.items()
        for one in data["modules"]
    ]


def surprises() -> list[Surprise]:
    """Every explanation, in its order."""
    found = tomllib.loads((HERE / "surprises.toml").read_text("utf-8"))
    return [
        Surprise(one["title"], one["whose"], " ".join(one["text"].split()), tuple(one["modules"]))
        for one in found["surprise"]
    ]
