"""What smashed data give away of the samples."""

from __future__ import annotations

from statistics import fmean

import torch

from epsl_opt.backends.pytorch.session import TorchSession
from epsl_opt.studies.cut_layer.distance_correlation import distance_correlation


def leakage(session: TorchSession) -> float:
    """Return the distance correlation of test samples and smashed data, the mean over the clients' models."""
    samples = session.test_samples
    with torch.no_grad():
        smashed = [client(samples) for client in session.models.clients]
    return fmean(distance_correlation(samples.cpu().numpy(), sent.cpu().numpy()) for sent in smashed)
