"""From 5 clients to hundreds: the round, EPSL's lead, and the work of resource management."""

from epsl_opt.studies.scale.study import ScaleStudy

__all__ = ["ScaleStudy"]
