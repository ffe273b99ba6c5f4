"""A toolchain of two packages made up on the spot, for environments that take no time to make."""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile

import pytest

from exportcheck.toolchains.locks import Requirement, Toolchain

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"


def wheel(folder, name, version, source="") -> str:
    """Writes a wheel with the module `name`; returns the hash that a lock has of it."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    records = "".join(f"{path},{_digest(text)},{len(text)}\n" for path, text in files.items())
    files[f"{info}/RECORD"] = f"{records}{info}/RECORD,,\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for inner, text in files.items():
            archive.writestr(inner, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(text) -> str:
    hashed = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def requirement(name, version, digest="0" * 64) -> Requirement:
    return Requirement(name, version, f"{name}=={version} \\\n    --hash=sha256:{digest}\n")


def toolchain(*requirements, name="torch-0.1", python=HERE, installed_mb=1) -> Toolchain:
    lock = "".join(one.text for one in requirements)
    digest = hashlib.sha256(lock.encode()).hexdigest()
    return Toolchain(name, python, tuple(requirements), 1, installed_mb, digest)


@pytest.fixture
def small():
    """A toolchain with torch and onnx, neither of which is more than a name."""
    return toolchain(requirement("onnx", "1.0"), requirement("torch", "0.1"))
