"""Damaged and hostile packages: each gives a result or one error of ours, in time and in bounds.

Every input follows from its seed, its kind and its number, which a failure names. To see one again:
`damage(kind, number, samples, seed)`.
"""

from __future__ import annotations

import json
import random
import resource
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coremltools.proto import Model_pb2

import exportcheck.mil
from exportcheck.errors import ExportcheckError
from exportcheck.mil import evaluator, text
from tests.mil.packages import KINDS, MODEL, WEIGHTS, edited

MANIFEST = "Manifest.json"
SECONDS = 10
MEMORY = 2 * 2**30


class Hung(BaseException):
    """An input took too long; no `except Exception` may swallow this."""


@dataclass(frozen=True)
class Sample:
    package: Path
    inputs: dict[str, np.ndarray]
    files: dict[str, bytes]

    def attempt(self, path: str, content: bytes) -> str:
        """What loading, showing and running come to with `content` in place of the file `path`."""
        self._put(path, content)
        try:
            program = exportcheck.mil.load(self.package)
            text.render(program)
            program.predict(self.inputs, program.make_state())
        except ExportcheckError as error:
            return type(error).__name__ if str(error) else "silence"
        finally:
            self._put(path, self.files[path])
        return "result"

    def _put(self, path: str, content: bytes) -> None:
        # Not written over: the file may still be mapped into memory.
        fresh = self.package / "fresh"
        fresh.write_bytes(content)
        fresh.replace(self.package / path)


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> list[Sample]:
    folder = tmp_path_factory.mktemp("samples")
    made = []
    for kind, make in KINDS.items():
        package = folder / f"{kind}.mlpackage"
        inputs = make(package)
        _settle(package)
        files = {
            p: (package / p).read_bytes()
            for p in (MODEL, WEIGHTS, MANIFEST)
            if (package / p).exists()
        }
        made.append(Sample(package, inputs, files))
    return made


def _settle(package: Path) -> None:
    """Takes out what differs from one writing to the next, or a seed would not be fixed."""
    with edited(package):
        pass
    manifest = json.loads((package / MANIFEST).read_text())
    written = json.dumps(manifest)
    entries = manifest["itemInfoEntries"]
    for number, identifier in enumerate(sorted(entries, key=lambda e: entries[e]["path"])):
        written = written.replace(identifier, f"item{number}")
    (package / MANIFEST).write_text(json.dumps(json.loads(written), sort_keys=True))


@pytest.fixture(autouse=True)
def few_blocks(monkeypatch):
    """Endless loops are among the inputs; the real limit takes seconds to reach."""
    monkeypatch.setattr(evaluator, "MAX_BLOCKS", 2000)


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """Little more memory than is in use, and an alarm that ends an input that hangs."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY, before[1]))
    handler = signal.signal(signal.SIGALRM, _hung)
    yield
    signal.signal(signal.SIGALRM, handler)
    resource.setrlimit(resource.RLIMIT_AS, before)


def _hung(*_: object) -> None:
    raise Hung


@contextmanager
def limited_time() -> Iterator[None]:
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


# ---- ways to damage ----------------------------------------------------------------------------


def flip(data: bytearray, rng: random.Random, _: bytes) -> None:
    for _bit in range(rng.choice((1, 1, 2, 8))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def overwrite(data: bytearray, rng: random.Random, _: bytes) -> None:
    """A length, a tag or a number becomes another one."""
    for _byte in range(rng.choice((1, 1, 3))):
        data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))


def truncate(data: bytearray, rng: random.Random, _: bytes) -> None:
    del data[rng.randrange(len(data)) :]


def remove(data: bytearray, rng: random.Random, _: bytes) -> None:
    start = rng.randrange(len(data))
    del data[start : start + rng.choice((1, 2, 8, 64))]


def splice(data: bytearray, rng: random.Random, other: bytes) -> None:
    start, at = rng.randrange(len(other)), rng.randrange(len(data))
    end = at if rng.random() < 0.5 else at + rng.randrange(64)
    data[at:end] = other[start : start + rng.randrange(1, 64)]


BYTES = (flip, overwrite, truncate, remove, splice)


def damage_bytes(rng: random.Random, sample: Sample, path: str, other: bytes) -> bytes:
    data = bytearray(sample.files[path])
    for _ in range(rng.choice((1, 1, 1, 3))):
        if data:
            rng.choice(BYTES)(data, rng, other)
    return bytes(data)


def damage_records(rng: random.Random, sample: Sample) -> bytes:
    """One word of the weight file, or an end of it, becomes what hurts most."""
    data = bytearray(sample.files[WEIGHTS])
    if rng.random() < 0.2:
        return bytes(data[: rng.choice((0, 1, 63, 64, 65, 127, 128, 129, len(data) - 1))])
    at = rng.choice((0, 64)) + rng.choice((0, 4, 8, 16, 24)) + rng.choice((0, 0, 0, 1))
    word = rng.choice((0, 1, 63, 64, len(data), len(data) + 1, 2**31, 2**63, 2**64 - 1, 2**64 - 64))
    data[at : at + 8] = word.to_bytes(8, "little")
    return bytes(data)


PATHS = ("", ".", "..", "/", "/etc/passwd", "../Manifest.json", "x" * 300, "a\0b", "\ud800", MODEL)


def damage_manifest(rng: random.Random, sample: Sample) -> bytes:
    manifest = json.loads(sample.files[MANIFEST])
    places: list[tuple[Any, Any]] = []
    queue: list[Any] = [manifest]
    while queue:
        inner = queue.pop()
        places += [(inner, key) for key in inner]
        queue += [value for value in inner.values() if isinstance(value, dict)]
    inner, key = rng.choice(places)
    if rng.random() < 0.2:
        del inner[key]
    else:
        inner[key] = rng.choice((None, 0, [], {}, [[]], -1.5, True, *PATHS))
    return json.dumps(manifest).encode()


INTEGERS = (
    0,
    1,
    -1,
    2,
    5,
    100,
    2**15,
    2**16,
    2**31 - 1,
    -(2**31),
    2**32,
    2**63 - 1,
    -(2**63),
    2**64 - 1,
)
FLOATS = (0.0, -1.0, 1e9, 1e38, float("inf"), -float("inf"), float("nan"))


def damage_message(rng: random.Random, sample: Sample) -> bytes:
    """The model with one to three fields of its messages set to something hostile."""
    model = Model_pb2.Model()
    model.ParseFromString(sample.files[MODEL])
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        messages = [m for m in _messages(model) if len(m.DESCRIPTOR.fields)]
        message = rng.choice(messages)
        field = rng.choice(message.DESCRIPTOR.fields)
        _damage_field(rng, message, field, messages)
    return model.SerializeToString(deterministic=True)


def _messages(message: Any) -> Iterator[Any]:
    yield message
    for field, value in message.ListFields():
        if not field.message_type:
            continue
        if field.message_type.GetOptions().map_entry:
            inner = (
                [value[key] for key in sorted(value)]
                if field.message_type.fields[1].message_type
                else []
            )
        else:
            inner = value if field.is_repeated else [value]
        for each in inner:
            yield from _messages(each)


def _damage_field(rng: random.Random, message: Any, field: Any, messages: list[Any]) -> None:
    if rng.random() < 0.15:
        message.ClearField(field.name)
    elif field.message_type and field.message_type.GetOptions().map_entry:
        _damage_map(rng, getattr(message, field.name), field.message_type.fields[1])
    elif field.is_repeated:
        _damage_repeated(rng, getattr(message, field.name), field, messages)
    elif field.message_type:
        getattr(message, field.name).SetInParent()
        for copy in _alike(rng, field, messages):
            getattr(message, field.name).CopyFrom(copy)
    else:
        setattr(message, field.name, _hostile(rng, field, messages))


def _alike(rng: random.Random, field: Any, messages: list[Any]) -> list[Any]:
    """A copy of any message of the field's type, which may be one around it: so a copy first."""
    found = [m for m in messages if m.DESCRIPTOR is field.message_type]
    if not found:
        return []
    copy = type(found[0])()
    copy.CopyFrom(rng.choice(found))
    return [copy]


def _damage_map(rng: random.Random, mapping: Any, value: Any) -> None:
    keys = sorted(mapping)
    if not keys:
        return
    key = rng.choice(keys)
    name = rng.choice((*keys, "", "unknown", "x", "main"))
    if value.message_type and name != key:
        mapping[name].CopyFrom(mapping[key])
    if rng.random() < 0.5:
        del mapping[key]


def _damage_repeated(rng: random.Random, values: Any, field: Any, messages: list[Any]) -> None:
    choice = rng.random()
    if len(values) and choice < 0.25:
        del values[rng.randrange(len(values))]
    elif field.message_type:
        alike = _alike(rng, field, messages) if choice < 0.9 else []
        for _ in range(rng.choice((1, 1, 2, 40))):
            added = values.add()
            for copy in alike:
                added.CopyFrom(copy)
    elif len(values) and choice < 0.8:
        values[rng.randrange(len(values))] = _hostile(rng, field, messages)
    else:
        values.extend([_hostile(rng, field, messages)] * rng.choice((1, 1, 100)))


def _hostile(rng: random.Random, field: Any, messages: list[Any]) -> Any:
    kind = field.cpp_type
    if kind == field.CPPTYPE_STRING:
        if field.type == field.TYPE_BYTES:
            return rng.randbytes(rng.randrange(20))
        named = [m.name for m in messages if hasattr(m, "name")]
        return rng.choice((*PATHS[:-2], "const", "while_loop", "fill", rng.choice(named or ["x"])))
    if kind == field.CPPTYPE_BOOL:
        return rng.random() < 0.5
    if kind in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE):
        return rng.choice(FLOATS)
    low, high = {
        field.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
        field.CPPTYPE_ENUM: (-(2**31), 2**31 - 1),
        field.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
        field.CPPTYPE_UINT32: (0, 2**32 - 1),
        field.CPPTYPE_UINT64: (0, 2**64 - 1),
    }[kind]
    return rng.choice([*range(12), *(number for number in INTEGERS if low <= number <= high)])


def damage(kind: str, number: int, samples: list[Sample], seed: int) -> tuple[Sample, str, bytes]:
    """The sample, the file of it and the content that input `number` of `kind` puts there."""
    rng = random.Random(f"{seed} {kind} {number}")
    path = {"bytes": MODEL, "message": MODEL, "weights": WEIGHTS, "manifest": MANIFEST}[kind]
    sample = rng.choice([s for s in samples if path in s.files])
    other = rng.choice([s for s in samples if path in s.files]).files[path]
    if kind == "message":
        return sample, path, damage_message(rng, sample)
    if kind == "weights" and rng.random() < 0.5:
        return sample, path, damage_records(rng, sample)
    if kind == "manifest" and rng.random() < 0.7:
        return sample, path, damage_manifest(rng, sample)
    return sample, path, damage_bytes(rng, sample, path, other)


def outcomes(kind: str, count: int, samples: list[Sample], seed: int) -> Counter[str]:
    found: Counter[str] = Counter()
    for number in range(count):
        sample, path, content = damage(kind, number, samples, seed)
        try:
            with limited_time():
                found[sample.attempt(path, content)] += 1
        except (Exception, Hung) as error:
            raise AssertionError(
                f"{kind} {number} of seed {seed}, {sample.package.name}"
            ) from error
    return found


@pytest.mark.parametrize(
    ("seed", "share"), [(1, 1), pytest.param(2, 14, marks=pytest.mark.slow)], ids=["some", "all"]
)
@pytest.mark.parametrize(
    ("kind", "count"), [("bytes", 550), ("message", 600), ("weights", 250), ("manifest", 100)]
)
def test_a_damaged_package_gives_a_result_or_an_error_of_ours(kind, count, seed, share, samples):
    found = outcomes(kind, count * share, samples, seed)
    print(kind, dict(found))
    # Neither is all rejected at the door, nor does what is damaged go unnoticed.
    assert found["result"] >= count * share // 50
    assert found["InvalidModel"] >= count * share // 10
    assert not found["silence"]


def test_what_is_not_damaged_gives_a_result(samples):
    for sample in samples:
        assert sample.attempt(MODEL, sample.files[MODEL]) == "result"
