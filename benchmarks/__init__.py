"""Measurements behind the documentation; `python -m benchmarks.NAME` in the checkout."""
