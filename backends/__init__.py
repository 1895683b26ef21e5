"""Training backends; found through the entry-point group `epsl_opt.backends`."""
