"""Solvers, one a module or folder; found through the entry-point group `epsl_opt.solvers`."""
