"""Makes the stock exporters several times faster in a process that exports often.

The files stay the same byte for byte. No conclusion of an exporter is remembered, only what it
works out anew on every call although it cannot change: the signatures of torchlib's functions.
Every export still builds its own operator registry with PyTorch's own code, so an operator that is
registered late, another opset or torchvision appearing need no rule here.

Meant for workers. Each part applies only to the versions it was verified with.
"""

from __future__ import annotations

import functools
import gc
import logging
import sys
import typing
from dataclasses import dataclass
from importlib import import_module, metadata
from typing import Any, Callable, Mapping, Sequence, Tuple

_LOGGER = logging.getLogger(__name__)

SWITCH = "EXPORTCHECK_STOCK_EXPORTERS"
"""The environment variable that, set to 1, keeps a worker from calling `apply`."""

FREEZE_AFTER_CASES = 200
"""PyTorch's caches grow by about a hundred objects a case."""

Replacements = Sequence[Tuple[Any, str, Any]]
"""Owner, attribute, new value."""


def apply() -> str:
    """Applies every part that was verified with the installed versions; call it once a process.

    A part that does not fit is left out, with one line in the log.

    Returns:
        The parts applied, for people: `operator signatures, composite operators, frozen heap`.
    """
    applied = [part.name for part in _PARTS if _fits(part.name, part.verified, part.replacements)]
    return ", ".join(applied) or "nothing"


def _fits(name: str, verified: Mapping[str, str], replacements: Callable[[], Replacements]) -> bool:
    """Makes the replacements, all or none, or says in the log why not."""
    reason = _unverified(verified)
    if reason is None:
        try:
            made = replacements()
            for owner, attribute, _ in made:
                getattr(owner, attribute)
        except (ImportError, AttributeError) as error:
            reason = str(error)
        else:
            for owner, attribute, value in made:
                setattr(owner, attribute, value)
            return True
    _LOGGER.warning("stock exporters, without %s: %s", name, reason)
    return False


def _unverified(versions: Mapping[str, str]) -> str | None:
    """What is installed in another version than `versions` names; None if nothing is."""
    for name, verified in versions.items():
        try:
            # What follows a plus names a build of the same source: 2.13.0+cpu.
            installed = metadata.version(name).split("+")[0]
        except metadata.PackageNotFoundError:
            return f"{name} is not installed"
        if installed != verified:
            return f"{name} is {installed}, verified with {verified}"
    return None


def _share_signatures_at_first_export() -> Replacements:
    """Puts `_share_signatures` off until PyTorch has to import onnxscript anyway."""
    onnx: Any = import_module("torch.onnx")
    stock = onnx.export
    share = functools.lru_cache(maxsize=None)(
        lambda: _fits("operator signatures", {}, _share_signatures)
    )

    @functools.wraps(stock)
    def export(*args: Any, **options: Any) -> Any:
        if options.get("dynamo", True):
            share()
        return stock(*args, **options)

    return [(onnx, "export", export)]


def _share_signatures() -> Replacements:
    """Works out once what the signature of each of torchlib's functions is.

    Every registry asks each of its 540 functions for it, and the answer is read from the function's
    source, which is tokenized and parsed each time. A function that is not onnxscript's is asked
    every time: it may be any callable that a user brings.

    Source: `TracedOnnxFunction.function_ir`, an uncached property, in onnxscript 0.7.2, and
    `OnnxDecompMeta.__post_init__` in torch/onnx/_internal/exporter/_registration.py of 2.13.0.
    """
    values: Any = import_module("onnxscript._internal.values")
    schemas: Any = import_module("torch.onnx._internal.exporter._schemas")
    traced = values.TracedOnnxFunction
    shared = (values.OnnxFunction, traced)
    stock = schemas.op_signature_from_function
    remembered = functools.lru_cache(maxsize=None)(stock)

    @functools.wraps(stock)
    def signature(function: Any, *args: Any, **options: Any) -> Any:
        return (remembered if type(function) in shared else stock)(function, *args, **options)

    function_ir = functools.cached_property(traced.function_ir.fget)
    function_ir.__set_name__(traced, "function_ir")
    return [
        (traced, "function_ir", function_ir),
        (schemas, "op_signature_from_function", signature),
    ]


def _collect_composite_operators_once() -> Replacements:
    """Asks the dispatcher for all composite operators once a collection, not once a namespace.

    And makes an annotation cheap that PyTorch evaluates 11 000 times an export, for each kernel it
    overrides: `typing.Callable` remembers its subscripts, `collections.abc.Callable` does not.

    Source: torch/_export/utils.py and `OperatorBase.py_impl` in torch/_ops.py of 2.13.0.
    """
    utils: Any = import_module("torch._export.utils")
    materialize = utils._materialize_cpp_cia_ops
    stock = utils._collect_all_valid_cia_ops

    @functools.wraps(stock)
    def collect() -> set[Any]:
        materialize()
        utils._materialize_cpp_cia_ops = lambda: None
        try:
            return stock()
        finally:
            utils._materialize_cpp_cia_ops = materialize

    users = ("torch._export.utils", "torch.export.exported_program", "torch.export.decomp_utils")
    return [
        *((import_module(user), "_collect_all_valid_cia_ops", collect) for user in users),
        (import_module("torch._ops"), "Callable", typing.Callable),
    ]


@dataclass
class _Heap:
    """What is known of the last freeze: how many modules there were, how many cases ago it was."""

    enabled: bool = False
    modules: int = 0
    cases: int = 0


_heap = _Heap()


def freeze() -> None:
    """Hides what is alive from the garbage collector, if it is time: call it between cases.

    The libraries are half a million objects, and every full collection, with which each conversion
    by coremltools ends, would visit them all. It is time whenever modules have been imported, for
    the heavy ones are imported where they are first needed, and after `FREEZE_AFTER_CASES`.
    Garbage is collected first, or it would stay for good.
    """
    if not _heap.enabled:
        return
    _heap.cases += 1
    modules = len(sys.modules)
    if modules != _heap.modules or _heap.cases >= FREEZE_AFTER_CASES:
        gc.collect()
        gc.freeze()
        _heap.modules, _heap.cases = modules, 0


@dataclass(frozen=True)
class _Part:
    """One thing that `apply` does, and the versions that it is known to change no file of."""

    name: str
    verified: Mapping[str, str]
    replacements: Callable[[], Replacements]


_PARTS = (
    _Part(
        "operator signatures",
        {"torch": "2.13.0", "onnxscript": "0.7.2"},
        _share_signatures_at_first_export,
    ),
    _Part("composite operators", {"torch": "2.13.0"}, _collect_composite_operators_once),
    _Part(
        "frozen heap",
        {"torch": "2.13.0", "coremltools": "9.0"},
        lambda: [(_heap, "enabled", True)],
    ),
)
