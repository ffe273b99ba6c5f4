"""A module of one's own: from what was typed to a subject that is checked, and to a report on it.

`module_spec` says what was asked for; `importing`, `resolving`, `calling` and `guessing` get the
module and inputs that it accepts; `laws`, `module_inputs` and `unsettling` choose what to run it
on; `modules` is the subject that comes of it. `inspecting` looks at it before it is exported:
`watching` for operators and lines, `deciding` for branches on data, `gradients` for training.
`reducing` finds the part that fails, `reproducing` and `issues` write it down.
"""
