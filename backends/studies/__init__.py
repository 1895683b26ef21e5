"""Studies that train; found through the entry-point group `epsl_opt.studies`."""
