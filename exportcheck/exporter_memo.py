"""Makes the stock exporters several times faster in a process that exports often.

The files stay the same byte for byte. Nothing an exporter concludes is remembered, only what it
works out anew on every call although it cannot change: the signatures of torchlib's functions.
Every export still builds its own operator registry by PyTorch's own code, so an operator that is
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
from typing import Any, Callable, Mapping, Optional, Set

_LOGGER = logging.getLogger(__name__)

SWITCH = "EXPORTCHECK_STOCK_EXPORTERS"
"""The environment variable that, set to 1, keeps a worker from calling `apply`."""


def apply() -> str:
    """Applies every part that was verified with the installed versions, once for this process.

    A part that does not fit is left out, with one line in the log.

    Returns:
        The parts applied, for people: `operator signatures, composite operators, frozen heap`.
    """
    applied = []
    for part in _PARTS:
        reason = _unverified(part.verified) or _attempt(part.apply)
        if reason is None:
            applied.append(part.name)
        else:
            _LOGGER.warning("stock exporters, without %s: %s", part.name, reason)
    return ", ".join(applied) or "nothing"


def _unverified(versions: Mapping[str, str]) -> Optional[str]:
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


def _attempt(patch: Callable[[], None]) -> Optional[str]:
    """Applies `patch`; why it does not fit, or None."""
    try:
        patch()
    except (ImportError, AttributeError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _share_signatures_at_first_export() -> None:
    """Puts `_share_signatures` off until PyTorch has to import onnxscript anyway."""
    onnx = import_module("torch.onnx")
    stock = onnx.export

    @functools.lru_cache(maxsize=None)
    def share() -> None:
        reason = _attempt(_share_signatures)
        if reason is not None:
            _LOGGER.warning("stock exporters, without operator signatures: %s", reason)

    @functools.wraps(stock)
    def export(*args: Any, **options: Any) -> Any:
        if options.get("dynamo", True):
            share()
        return stock(*args, **options)

    setattr(onnx, "export", export)  # noqa: B010  # mypy forbids assigning to a module's function


def _share_signatures() -> None:
    """Works out once what the signature of each of torchlib's functions is.

    Every registry asks each of its 540 functions for it, and the answer is read from the function's
    source, which is tokenized and parsed each time. A function that is no onnxscript function is
    asked every time: what it may be is the user's choice.

    Source: `TracedOnnxFunction.function_ir`, an uncached property, in onnxscript 0.7.2, and
    `OnnxDecompMeta.__post_init__` in torch/onnx/_internal/exporter/_registration.py of 2.13.0.
    """
    values = import_module("onnxscript._internal.values")
    schemas = import_module("torch.onnx._internal.exporter._schemas")
    shared = (values.OnnxFunction, values.TracedOnnxFunction)
    read = values.TracedOnnxFunction.function_ir.fget
    stock = schemas.op_signature_from_function
    remembered = functools.lru_cache(maxsize=None)(stock)

    @functools.wraps(stock)
    def signature(function: Any, *args: Any, **options: Any) -> Any:
        return (remembered if type(function) in shared else stock)(function, *args, **options)

    function_ir = functools.cached_property(read)
    function_ir.__set_name__(values.TracedOnnxFunction, "function_ir")
    values.TracedOnnxFunction.function_ir = function_ir
    schemas.op_signature_from_function = signature


def _collect_composite_operators_faster() -> None:
    """Asks the dispatcher for all composite operators once a collection, not once a namespace.

    And makes an annotation cheap that PyTorch evaluates 11 000 times an export, for each kernel it
    overrides: `typing.Callable` remembers its subscripts, `collections.abc.Callable` does not.

    Source: torch/_export/utils.py and `OperatorBase.py_impl` in torch/_ops.py of 2.13.0.
    """
    utils = import_module("torch._export.utils")
    ops = import_module("torch._ops")
    users = [import_module("torch.export." + name) for name in ("exported_program", "decomp_utils")]
    materialize = utils._materialize_cpp_cia_ops
    stock = utils._collect_all_valid_cia_ops

    @functools.wraps(stock)
    def collect() -> Set[Any]:
        materialize()
        utils._materialize_cpp_cia_ops = lambda: None
        try:
            return stock()
        finally:
            utils._materialize_cpp_cia_ops = materialize

    for module in (utils, *users):
        module._collect_all_valid_cia_ops  # noqa: B018  # raises before anything has been changed
    ops.Callable  # noqa: B018  # likewise
    for module in (utils, *users):
        module._collect_all_valid_cia_ops = collect
    ops.Callable = typing.Callable


@dataclass
class _Heap:
    """What is known of the last freeze: how many modules there were, how many cases ago it was."""

    enabled: bool = False
    modules: int = 0
    cases: int = 0


_heap = _Heap()

FREEZE_AFTER_CASES = 200
"""What stays alive without an import, caches above all, grows slowly."""


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


def _enable_freezing() -> None:
    _heap.enabled = True


@dataclass(frozen=True)
class _Part:
    """One thing that `apply` does, and the versions that it is known to change no file of."""

    name: str
    verified: Mapping[str, str]
    apply: Callable[[], None]


_PARTS = (
    _Part(
        "operator signatures",
        {"torch": "2.13.0", "onnxscript": "0.7.2"},
        _share_signatures_at_first_export,
    ),
    _Part("composite operators", {"torch": "2.13.0"}, _collect_composite_operators_faster),
    _Part("frozen heap", {"torch": "2.13.0", "coremltools": "9.0"}, _enable_freezing),
)
