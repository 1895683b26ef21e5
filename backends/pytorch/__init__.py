"""Training with PyTorch; importing this package does not import PyTorch."""

from epsl_opt.backends.pytorch.backend import TorchBackend as TorchBackend
