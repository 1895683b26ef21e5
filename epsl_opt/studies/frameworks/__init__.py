"""The frameworks: accuracy over rounds and over simulated time."""

from epsl_opt.studies.frameworks.study import FrameworksStudy

__all__ = ["FrameworksStudy"]
