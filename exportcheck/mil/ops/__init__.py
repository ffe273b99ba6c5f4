"""MIL's operators, a file a category, named as coremltools names its own."""
