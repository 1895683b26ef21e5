"""The cut layer: latency, leakage, accuracy."""

from epsl_opt.studies.cut_layer.study import CutLayerStudy

__all__ = ["CutLayerStudy"]
