"""Costs of one family, made by hand."""

from __future__ import annotations

COSTS = {
    "hardswish": {
        "machine": {
            "processor": "a processor",
            "cores": 2,
            "threads": 1,
            "platform": "Linux x86_64",
            "python": "3.11.7",
            "versions": {"torch": "2.13.0"},
        },
        "reference": "hardswish",
        "rounds": 200,
        "measurements": [
            {
                "runtime": "onnxruntime",
                "shape": [1, 64, 80, 80],
                "median_us": {"hardswish": 100.0, "hardswish-hardtanh": 180.0},
                "ratios": {
                    "hardswish-hardtanh": {"q1": 1.7, "median": 1.8, "q3": 1.9},
                    "hardswish-relu6": {"q1": 0.9, "median": 0.98, "q3": 1.1},
                    "native again": {"q1": 0.97, "median": 1.0, "q3": 1.04},
                },
            }
        ],
        "refused": [
            {
                "form": "hardswish-inplace",
                "runtime": "onnxruntime",
                "shape": [1, 64, 80, 80],
                "reason": "RuntimeError: no",
            }
        ],
        "saved": [{"shape": [1, 64, 80, 80], "bytes": {"hardswish": 1638400}}],
    }
}
