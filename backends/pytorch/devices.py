"""Where tensors live."""

from __future__ import annotations

import torch

from epsl_opt.core.errors import InputError


def ready_device(name: str) -> torch.device:
    """Return a device that is there, set up so that equal seeds give equal results.

    Raises
    ------
    InputError
        If this machine or this build of PyTorch does not have it.
    """
    device = torch.device(name)
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if (device.index or 0) >= count:
            raise InputError("backend torch", f"{name!r} is not there, {count or 'no'} CUDA devices are", "device")
        torch.backends.cudnn.deterministic = True
        torch.backends.cudnn.benchmark = False
    return device
