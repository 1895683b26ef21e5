"""From alike clients to very different ones: the straggler, every solver's gap, and EPSL's lead."""

from epsl_opt.studies.heterogeneity.study import HeterogeneityStudy

__all__ = ["HeterogeneityStudy"]
