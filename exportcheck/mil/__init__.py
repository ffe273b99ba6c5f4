"""Core ML's ML programs off macOS: a reference evaluator of MIL in NumPy.

    import exportcheck.mil
    program = exportcheck.mil.load("model.mlpackage")
    outputs = program.predict({"x": x})

It says what the saved program means, not what Apple's runtime makes of it: numbers it computes are
always shown as simulated. It needs coremltools (to decode the protobuf), not torch.
"""

from __future__ import annotations

from exportcheck.mil.program import Program, load

__all__ = ["Program", "load"]
