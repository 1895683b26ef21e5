"""Studies of schedules and solvers; found through the entry-point group `epsl_opt.studies`."""
