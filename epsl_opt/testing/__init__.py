"""The conformance suite that proves a solver, ours or a stranger's."""
