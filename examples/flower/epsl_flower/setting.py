"""What server and clients agree on: the schedule, and the data and network that follow from the configuration."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from flwr.app import Context

from epsl_opt import ClientRow, InputError, ScheduleDocument, client_rows, read_instance, read_schedule
from epsl_opt.backends.pytorch import TorchBackend
from epsl_opt.backends.pytorch.backend import materials
from epsl_opt.backends.pytorch.feed import Feed
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.backends.pytorch.session import held_segments
from epsl_opt.core.framework import Framework
from epsl_opt.plugins.backend import TrainingPlan


@dataclass(frozen=True)
class Setting:
    """One training.

    Parameters
    ----------
    schedule, rows
        The schedule, and what it means for each client.
    options
        How to learn.
    feed
        Makes each round's batches.
    shares
        Each client's share of the data, shape (clients,).
    client_side, server_side
        The initial models.
    """

    schedule: ScheduleDocument
    rows: tuple[ClientRow, ...]
    options: TorchOptions
    feed: Feed
    shares: torch.Tensor
    client_side: torch.nn.Sequential
    server_side: torch.nn.Sequential


def setting(context: Context) -> Setting:
    """Read what the run's configuration names; a process does so once.

    Raises
    ------
    InputError
        If a file is wrong, the schedule is for another instance, or the instance's model is another network.
    """
    return _setting(*(context.run_config[key] for key in ("schedule", "instance", "task", "network", "seed", "lr")))


@lru_cache(maxsize=1)
def _setting(schedule_file: str, instance_file: str, task: str, network: str, seed: int, lr: float) -> Setting:
    instance = read_instance(instance_file)
    document = read_schedule(schedule_file, instance=instance)
    rows = client_rows(document, instance)
    options = TorchOptions(network=network or None, lr=lr)
    if TorchBackend().fit(instance, task, options) is not instance:
        raise InputError(instance_file, "is not of the network that is trained; `epsl-opt train` leaves one", "model")
    plan = TrainingPlan(instance, document.schedule(), Framework.EPSL, task, seed)
    data, parts, chain = materials(plan, options)
    sizes = torch.tensor([len(part) for part in parts], dtype=torch.float64)
    feed, held = Feed(plan, options, data, parts, document.batch_size), held_segments(plan, chain)
    shares = (sizes / sizes.sum()).float()
    return Setting(document, rows, options, feed, shares, chain.client_side(held), chain.server_side(held))
