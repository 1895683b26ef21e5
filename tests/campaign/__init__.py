"""The campaign: many random inputs tried on the whole toolkit, `python -m campaign` with `tests/` on the path."""
