"""Proof over every input: an elementwise function at all 2^32 float32 numbers.

`line` divides the numbers into pieces, `prover` takes a piece through eager, the float64 truth and
the runtimes, `gauge` measures how far they are apart, `figures` holds what was measured, `sharing`
has all cores do so, `proof` is what all pieces come to, and `journal` keeps them, so that a proof
can be stopped and resumed.
"""
