"""Smooth functions: sigmoids, exponentials, and what is made of them."""

from __future__ import annotations

from exportcheck.catalog.interface import Activation

_NN = "torch.nn."
_FORMS = "exportcheck.forms."
_YOLO = "ultralytics/yolov5, utils/activations.py"
_SILU = "arXiv:1606.08415, arXiv:1710.05941"
_MISH = "arXiv:1908.08681"
_GELU = "arXiv:1606.08415"

ACTIVATIONS = (
    Activation("silu", "silu", _NN + "SiLU", "x*sigmoid(x)", _SILU, reference=True),
    Activation(
        "silu-inplace", "silu", _NN + "SiLU", "x*sigmoid(x)", _SILU, {"inplace": True}, "in-place"
    ),
    Activation(
        "silu-sigmoid", "silu", _FORMS + "SiLUSigmoid", "x*sigmoid(x)", _YOLO, form="hand-written"
    ),
    Activation(
        "silu-memory-efficient",
        "silu",
        _FORMS + "MemoryEfficientSiLU",
        "x*sigmoid(x), saving only x for backward",
        _YOLO,
        form="autograd",
    ),
    Activation("mish", "mish", _NN + "Mish", "x*tanh(softplus(x))", _MISH, reference=True),
    Activation(
        "mish-softplus",
        "mish",
        _FORMS + "MishSoftplus",
        "x*tanh(softplus(x))",
        _YOLO,
        form="hand-written",
    ),
    Activation(
        "mish-memory-efficient",
        "mish",
        _FORMS + "MemoryEfficientMish",
        "x*tanh(softplus(x)), saving only x for backward",
        _YOLO,
        form="autograd",
    ),
    Activation("gelu", "gelu", _NN + "GELU", "x*Phi(x), Phi by erf", _GELU, reference=True),
    Activation(
        "gelu-tanh",
        "gelu-tanh",
        _NN + "GELU",
        "x/2*(1+tanh(sqrt(2/pi)*(x+0.044715*x^3)))",
        _GELU,
        {"approximate": "tanh"},
        reference=True,
    ),
    Activation(
        "gelu-tanh-explicit",
        "gelu-tanh",
        _FORMS + "GELUTanh",
        "x*sigmoid(2*sqrt(2/pi)*x*(1+0.044715*min(x^2,1000)))",
        _GELU,
        form="hand-written",
    ),
    Activation(
        "gelu-quick",
        "gelu-quick",
        _FORMS + "QuickGELU",
        "x*sigmoid(1.702*x)",
        _GELU,
        form="hand-written",
        reference=True,
    ),
    Activation("sigmoid", "sigmoid", _NN + "Sigmoid", "1/(1+exp(-x))", "torch.nn", reference=True),
    Activation("tanh", "tanh", _NN + "Tanh", "tanh(x)", "torch.nn", reference=True),
    Activation(
        "logsigmoid",
        "logsigmoid",
        _NN + "LogSigmoid",
        "log(sigmoid(x))",
        "torch.nn",
        reference=True,
        knees=(0.0, -18.0, -88.0, -104.0),
    ),
    Activation(
        "logsigmoid-softplus",
        "logsigmoid",
        _FORMS + "LogSigmoidSoftplus",
        "-softplus(-x)",
        "identity",
        form="hand-written",
        knees=(0.0, -18.0, -20.0, -88.0, -104.0),
    ),
    Activation(
        "logsigmoid-stable",
        "logsigmoid",
        _FORMS + "LogSigmoidStable",
        "min(x,0) - log(1+exp(-|x|))",
        "identity",
        form="hand-written",
        knees=(0.0, -18.0, -88.0, -104.0),
    ),
    Activation(
        "softplus",
        "softplus",
        _NN + "Softplus",
        "log(1+exp(x)), x above 20",
        "torch.nn",
        reference=True,
        knees=(0.0, 20.0),
    ),
    Activation(
        "softplus-beta2-threshold10",
        "softplus-beta2-threshold10",
        _NN + "Softplus",
        "log(1+exp(2x))/2, x where 2x > 10",
        "torch.nn",
        {"beta": 2.0, "threshold": 10.0},
        reference=True,
        knees=(0.0, 5.0),
    ),
    Activation(
        "softplus-beta2-threshold10-where",
        "softplus-beta2-threshold10",
        _FORMS + "SoftplusWhere",
        "where(2x > 10, x, softplus(2x)/2)",
        "torch.nn",
        {"beta": 2.0, "threshold": 10.0},
        "hand-written",
        knees=(0.0, 5.0),
    ),
    Activation(
        "softplus-threshold1",
        "softplus-threshold1",
        _NN + "Softplus",
        "log(1+exp(x)), x above 1",
        "torch.nn",
        {"threshold": 1.0},
        reference=True,
        knees=(0.0, 1.0),
    ),
    Activation(
        "softplus-threshold1-where",
        "softplus-threshold1",
        _FORMS + "SoftplusWhere",
        "where(x > 1, x, softplus(x))",
        "torch.nn",
        {"threshold": 1.0},
        "hand-written",
        knees=(0.0, 1.0),
    ),
    Activation("softsign", "softsign", _NN + "Softsign", "x/(1+|x|)", "torch.nn", reference=True),
    Activation(
        "tanhshrink", "tanhshrink", _NN + "Tanhshrink", "x-tanh(x)", "torch.nn", reference=True
    ),
    Activation(
        "elu", "elu", _NN + "ELU", "x above 0, exp(x)-1 below", "arXiv:1511.07289", reference=True
    ),
    Activation(
        "celu",
        "celu",
        _NN + "CELU",
        "max(0,x)+min(0,exp(x)-1)",
        "arXiv:1704.07483",
        reference=True,
    ),
    Activation(
        "celu-elu",
        "celu",
        _FORMS + "CELUElu",
        "alpha*elu(x/alpha)",
        "arXiv:1704.07483",
        form="hand-written",
    ),
    Activation(
        "celu-alpha0.5",
        "celu-alpha0.5",
        _NN + "CELU",
        "max(0,x)+min(0,(exp(2x)-1)/2)",
        "arXiv:1704.07483",
        {"alpha": 0.5},
        reference=True,
    ),
    Activation(
        "celu-alpha0.5-elu",
        "celu-alpha0.5",
        _FORMS + "CELUElu",
        "alpha*elu(x/alpha)",
        "arXiv:1704.07483",
        {"alpha": 0.5},
        "hand-written",
    ),
    Activation(
        "selu",
        "selu",
        _NN + "SELU",
        "1.0507*(max(0,x)+min(0,1.6733*(exp(x)-1)))",
        "arXiv:1706.02515",
        reference=True,
    ),
    Activation(
        "snake",
        "snake",
        _FORMS + "Snake",
        "x+sin(a*x)^2/a",
        "arXiv:2006.08195",
        form="hand-written",
        reference=True,
    ),
    Activation(
        "squareplus",
        "squareplus",
        _FORMS + "Squareplus",
        "(x+sqrt(x^2+b))/2",
        "arXiv:2112.11687",
        form="hand-written",
        reference=True,
    ),
)
