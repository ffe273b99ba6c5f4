"""The memo changes no byte of any file, and steps back where it was not verified."""

from __future__ import annotations

import collections.abc
import contextlib
import gc
import re
import sys
import types
from importlib import metadata

import pytest

from exportcheck import exporter_memo
from exportcheck.catalog import activations
from exportcheck.cli import run as run_module
from exportcheck.errors import Unavailable
from exportcheck.exporter_memo import SWITCH
from exportcheck.judge import described
from exportcheck.networks import NETWORKS
from exportcheck.results import Case, Status
from exportcheck.subject import subject
from exportcheck.targets import targets
from exportcheck.targets.onnx import Onnx
from exportcheck.worker_process import WorkerProcess

EVERYTHING = "operator signatures, composite operators, frozen heap"
OPSETS = tuple(Onnx("dynamo", opset) for opset in range(17, 24))
TARGETS = {**targets(), **{target.name: target for target in OPSETS}}
DYNAMO = ("onnx-dynamo-opset18", "onnx-dynamo-opset20", "onnx-dynamo-opset23")
FEW = ("silu", "gelu-tanh", "hardswish", "softshrink", "prelu", "swiglu", "mish", "softmax-dim1")


@contextlib.contextmanager
def applied():
    """Everything that `apply` replaces, put back afterwards; gives what it returned."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporter_memo, "setattr", patch.setattr, raising=False)
        yield exporter_memo.apply()
    gc.unfreeze()


def exported(folder, activation, network, target, dynamic=()):
    """The files of an export by name, or what it raised.

    A package's manifest is left out: it names its parts by random identifiers.
    """
    target = TARGETS[target]
    path = folder / f"model{target.suffix}"
    what = subject(activation, network)
    try:
        target.save(target.export(what.build(), what.example(), dynamic), path)
    except Unavailable:
        raise
    except Exception as error:  # whatever an exporter raises must be the same too
        # coremltools numbers the operators it names through the whole life of a process.
        return re.sub(r"(?<=[a-z]_)\d+", "#", described(error))
    if path.is_file():
        return path.read_bytes()
    files = {str(f.relative_to(path)): f for f in path.rglob("*") if f.is_file()}
    return {name: f.read_bytes() for name, f in files.items() if name != "Manifest.json"}


def assert_same(cases, tmp_path):
    """Each case exported by the stock exporters, then by those with the memo, cases in a row."""

    def all_of(name):
        found = {}
        for number, case in enumerate(cases):
            folder = tmp_path / f"{name}-{number}"
            folder.mkdir()
            found[case] = exported(folder, *case)
        return found

    stock = all_of("stock")
    with applied() as parts:
        assert parts == EVERYTHING
        exporter_memo.freeze()
        fast = all_of("fast")
    for case in cases:
        assert fast[case] == stock[case], case
    return stock


@pytest.mark.parametrize("activation", FEW)
def test_a_few_of_the_catalogue_give_the_same_bytes(activation, tmp_path):
    """Each network at one opset, which ones depends on the activation: all nine pairs occur."""
    first = FEW.index(activation)
    cases = [
        (activation, network, DYNAMO[(first + index) % 3]) for index, network in enumerate(NETWORKS)
    ]
    stock = assert_same(cases, tmp_path)
    assert all(isinstance(found, bytes) for found in stock.values()), stock


@pytest.mark.parametrize(
    "case",
    [
        ("silu", "conv", "coreml-fp16"),
        ("silu", "conv", "coreml-export-fp32"),
        ("silu", "bare", "onnx-trace-opset17"),
        ("silu", "conv", "onnx-dynamo-opset20", (0, 2)),
        ("rrelu", "bare", "onnx-dynamo-opset18"),  # the exporter refuses it
    ],
    ids=str,
)
def test_other_exporters_axes_and_refusals_are_the_same(case, tmp_path):
    found = assert_same([case], tmp_path)[case]
    assert isinstance(found, str) == (case[0] == "rrelu"), found


@pytest.mark.slow
@pytest.mark.parametrize("activation", activations())
def test_the_whole_catalogue_gives_the_same_bytes(activation, tmp_path):
    """In every network, every target in a row, so that each export finds what others left."""
    names = (*DYNAMO, "coreml-fp32", "coreml-fp16", "coreml-export-fp32")
    networks = activations()[activation].networks
    assert_same([(activation, n, t) for n in networks for t in names], tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("activation", FEW)
def test_every_opset_gives_the_same_bytes(activation, tmp_path):
    assert_same([(activation, n, t.name) for n in NETWORKS for t in OPSETS], tmp_path)


def test_a_registry_is_what_stock_builds_and_belongs_to_its_caller():
    from torch.onnx._internal.exporter import _registration

    build = _registration.ONNXRegistry.from_torchlib
    stock = build(20)
    with applied():
        exporter_memo._fits("signatures", {}, exporter_memo._share_signatures)
        first, second = build(20), build(20)
        assert first.functions == second.functions == stock.functions
        assert build(18).functions != first.functions
        name = "aten::relu"
        target = second.functions[name][0].fx_target
        first.register_op(target, lambda x: x)
        first.functions[name][1].is_complex = True
        assert second.functions == build(20).functions == stock.functions


def test_signatures_are_read_once_and_only_of_onnxscript_functions(monkeypatch):
    from onnxscript import values
    from torch.onnx._internal.exporter import _schemas

    asked = []
    stock = _schemas.op_signature_from_function

    def counting(function, *args, **options):
        asked.append(function)
        return stock(function, *args, **options)

    monkeypatch.setattr(_schemas, "op_signature_from_function", counting)

    def plain(x):
        return x

    traced = values.TracedOnnxFunction(values.Opset("tests", 1), plain)
    with applied():
        exporter_memo._fits("signatures", {}, exporter_memo._share_signatures)
        for function in (plain, traced, plain, traced):
            _schemas.op_signature_from_function(function, "tests")
        assert traced.function_ir is traced.function_ir
    assert asked == [plain, traced, plain]
    assert traced.function_ir is not traced.function_ir


@contextlib.contextmanager
def translation_table(torch, op):
    """The operator `exportcheck_late::f`, translated by the caller's own table."""
    library = torch.library.Library("exportcheck_late", "FRAGMENT")
    library.define("f(Tensor x) -> Tensor")
    library.impl("f", lambda x: x * 2, "CPU")
    library.impl("f", torch.empty_like, "Meta")
    yield {"custom_translation_table": {torch.ops.exportcheck_late.f.default: lambda x: op.Neg(x)}}
    library._destroy()


@contextlib.contextmanager
def torchlib_registration(torch, op):
    """The same, registered in torchlib, whose signatures were all read before."""
    from onnxscript.function_libs.torch_lib import registration

    with translation_table(torch, op):
        registered = registration.default_registry._registry
        registration.torch_op("exportcheck_late::f", trace_only=True)(_negated)
        yield {}
        del registered["exportcheck_late::f"]


def _negated(x):
    from onnxscript import opset18

    return opset18.Neg(x)


@contextlib.contextmanager
def composite(torch, op):
    """The same as a composite of operators that are translated already."""
    library = torch.library.Library("exportcheck_late", "FRAGMENT")
    library.define("f(Tensor x) -> Tensor")
    library.impl("f", lambda x: -x, "CompositeImplicitAutograd")
    yield {}
    library._destroy()


@pytest.mark.parametrize("register", [translation_table, torchlib_registration, composite])
def test_an_operator_that_is_registered_late_still_exports_right(register, tmp_path):
    import torch
    from onnxscript import opset18

    class Late(torch.nn.Module):
        def forward(self, x):
            return torch.ops.exportcheck_late.f(x)

    def bytes_of(options):
        program = torch.onnx.export(Late(), (torch.ones(3),), opset_version=18, **options)
        assert [node.op_type for node in program.model_proto.graph.node] == ["Neg"]
        return program.model_proto.SerializeToString()

    with register(torch, opset18) as options:
        stock = bytes_of(options)
    with applied():
        before = exported(tmp_path, "relu", "bare", "onnx-dynamo-opset18")
        assert isinstance(before, bytes)
        with register(torch, opset18) as options:
            assert bytes_of(options) == stock
        with pytest.raises(Exception, match="exportcheck_late"):
            bytes_of({})


def test_composite_operators_are_what_stock_finds_late_ones_included():
    import torch
    from torch._export import utils
    from torch.export import decomp_utils, exported_program

    stock = utils._collect_all_valid_cia_ops
    users = (utils, decomp_utils, exported_program)
    with applied():
        before = [user._collect_all_valid_cia_ops() for user in users]
        library = torch.library.Library("exportcheck_later", "FRAGMENT")
        library.define("f(Tensor x) -> Tensor")
        library.impl("f", lambda x: -x, "CompositeImplicitAutograd")
        after = [user._collect_all_valid_cia_ops() for user in users]
        expected = stock()
        late = torch.ops.exportcheck_later.f.default
        library._destroy()
    assert late in expected
    assert after == [expected] * 3
    assert before == [expected - {late}] * 3


@pytest.mark.parametrize(
    ("installed", "parts", "words"),
    [
        ({"torch": "2.12.0"}, "nothing", ["torch is 2.12.0, verified with 2.13.0"] * 3),
        ({"torch": "2.13.0+cpu"}, EVERYTHING, []),
        (
            {"onnxscript": "0.7.3"},
            "composite operators, frozen heap",
            ["without operator signatures: onnxscript is 0.7.3, verified with 0.7.2"],
        ),
        (
            {"coremltools": None},
            "operator signatures, composite operators",
            ["without frozen heap: coremltools is not installed"],
        ),
    ],
)
def test_another_version_stays_stock_and_says_so_once(installed, parts, words, monkeypatch, caplog):
    import torch

    def version(name):
        if installed.get(name, "") is None:
            raise metadata.PackageNotFoundError(name)
        return installed.get(name) or real(name)

    real = metadata.version
    monkeypatch.setattr(metadata, "version", version)
    stock = torch.onnx.export, torch._ops.Callable
    with applied() as found:
        assert found == parts
        assert (torch.onnx.export is stock[0]) == ("signatures" not in parts)
        assert (torch._ops.Callable is stock[1]) == ("composite" not in parts)
        assert exporter_memo._heap.enabled == ("heap" in parts)
    assert (torch.onnx.export, torch._ops.Callable) == stock
    assert len(caplog.messages) == len(words)
    assert all(w in message for w, message in zip(words, caplog.messages, strict=True))


def test_a_part_whose_attribute_is_gone_changes_nothing(monkeypatch, caplog):
    import torch
    import torch.export.decomp_utils as user

    stock = torch._export.utils._collect_all_valid_cia_ops
    monkeypatch.delattr(user, "_collect_all_valid_cia_ops")
    with applied() as parts:
        assert parts == "operator signatures, frozen heap"
        assert torch._export.utils._collect_all_valid_cia_ops is stock
        assert torch._ops.Callable is collections.abc.Callable
    assert "_collect_all_valid_cia_ops" in caplog.text


def test_what_does_not_fit_at_the_first_export_is_said_once(monkeypatch, caplog, tmp_path):
    def gone():
        raise AttributeError("no function_ir")

    monkeypatch.setattr(exporter_memo, "_share_signatures", gone)
    with applied():
        for number in range(2):
            folder = tmp_path / str(number)
            folder.mkdir()
            assert isinstance(exported(folder, "relu", "bare", "onnx-dynamo-opset18"), bytes)
    assert [m for m in caplog.messages if "no function_ir" in m] == [
        "stock exporters, without operator signatures: no function_ir"
    ]


def test_the_tracing_exporter_needs_no_onnxscript(monkeypatch, tmp_path):
    """Whose import takes half a second; only the other exporter has to pay for it."""
    asked = []
    monkeypatch.setattr(exporter_memo, "_share_signatures", lambda: asked.append(1) or ())
    with applied():
        exported(tmp_path, "relu", "bare", "onnx-trace-opset17")
        assert not asked
        exported(tmp_path, "relu", "bare", "onnx-dynamo-opset18")
        assert asked


@pytest.fixture
def freezes(monkeypatch):
    """What `freeze` does to the garbage collector, in order."""
    done = []
    stub = types.SimpleNamespace(
        collect=lambda: done.append("collect"), freeze=lambda: done.append("freeze")
    )
    monkeypatch.setattr(exporter_memo, "gc", stub)
    monkeypatch.setattr(exporter_memo, "_heap", exporter_memo._Heap(enabled=True))
    return done


def test_the_heap_is_frozen_when_modules_have_been_imported(freezes, monkeypatch):
    exporter_memo.freeze()
    assert freezes == ["collect", "freeze"]
    exporter_memo.freeze()
    assert freezes == ["collect", "freeze"]
    monkeypatch.setitem(sys.modules, "exportcheck_late", types.ModuleType("exportcheck_late"))
    exporter_memo.freeze()
    assert freezes == ["collect", "freeze"] * 2


def test_the_heap_is_frozen_anew_after_many_cases(freezes):
    for _ in range(1 + exporter_memo.FREEZE_AFTER_CASES):
        exporter_memo.freeze()
    assert freezes == ["collect", "freeze"] * 2


def test_the_heap_stays_as_it_is_where_nothing_was_applied(freezes, monkeypatch):
    monkeypatch.setattr(exporter_memo._heap, "enabled", False)
    exporter_memo.freeze()
    assert freezes == []


@pytest.mark.parametrize(("environment", "parts"), [({}, EVERYTHING), ({SWITCH: "1"}, "nothing")])
def test_a_worker_applies_it_unless_told_not_to(environment, parts):
    worker = WorkerProcess(environment=environment)
    case = Case("relu", "bare", "onnx-dynamo-opset18", "onnxruntime", "here")
    result = worker.check(case, 120.0)
    worker.close()
    assert worker.ready["exporter_memo"] == parts
    assert result.status is Status.PASS
    assert "torchvision" not in result.log


@pytest.mark.parametrize(
    ("arguments", "given"), [((), {}), (("--stock-exporters",), {SWITCH: "1"})]
)
def test_the_command_line_tells_the_workers(arguments, given, monkeypatch, tmp_path):
    from typer.testing import CliRunner

    from exportcheck.cli import app

    starts = []
    monkeypatch.setattr(run_module, "run", lambda *a, **o: starts.append(o["start_worker"]))
    chosen = ("--select", "relu/bare/torch-export/*", "--output", str(tmp_path))
    CliRunner().invoke(app, ["all", *chosen, *arguments])
    assert [start.keywords["environment"] for start in starts] == [given]
    assert starts[0].func is WorkerProcess
