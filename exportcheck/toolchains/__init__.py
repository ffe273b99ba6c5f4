"""Toolchains: `<name>.in` says what is wanted, `<name>.txt` is the lock made from it."""
