"""The aggregation ratio: accuracy and latency against phi."""

from epsl_opt.studies.phi.study import PhiStudy

__all__ = ["PhiStudy"]
