"""Activation functions, and what is averaged."""

from epsl_opt.studies.activation.study import ActivationStudy

__all__ = ["ActivationStudy"]
