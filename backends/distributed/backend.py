"""The torch backend with its clients on other ranks."""

from __future__ import annotations

import torch

from epsl_opt.backends.distributed.clients import Clients
from epsl_opt.backends.distributed.plan import Assignment
from epsl_opt.backends.distributed.session import DistributedSession
from epsl_opt.backends.distributed.wire import Command, Pair
from epsl_opt.backends.pytorch import TorchBackend
from epsl_opt.backends.pytorch.backend import materials
from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance import Instance
from epsl_opt.plugins.backend import TrainingPlan


class DistributedBackend(TorchBackend):
    """Trains the same as the torch backend, to the same files.

    Parameters
    ----------
    clients
        The connections to them.

    Attributes
    ----------
    session
        The last one that was started.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self.session: DistributedSession | None = None

    def fit(self, instance: Instance, task: str, options: TorchOptions, seed: int = 0) -> Instance:
        """Refuse an instance for another number of clients than there are ranks; else as the torch backend."""
        have, need = self._clients.group.size, instance.n_clients + 1
        if have != need:
            problem = f"{need} ranks are needed, the server and {instance.n_clients} clients; there are {have}"
            raise InputError(f"instance {instance.name}", problem)
        self._clients.names = [client.name for client in instance.clients]
        return super().fit(instance, task, options, seed)

    def start(self, plan: TrainingPlan, options: TorchOptions) -> DistributedSession:
        """Let all clients load their data and set their models up, and do so here.

        Raises
        ------
        InputError
            If anything in the plan or the options does not work, here or on a client's machine.
        """
        if plan.framework is Framework.CENTRALISED:
            raise InputError("--framework", "centralised has no clients; train it with `epsl-opt train`")

        def assign(number: int, pair: Pair) -> None:
            pair.send_bytes(Assignment(plan, options, number).to_bytes())
            pair.receive([1], torch.float32)

        everything = materials(plan, options)
        self._clients.tell(range(plan.instance.n_clients), Command.PLAN, assign)
        self.session = DistributedSession(
            plan, options, *everything, self._clients, self.clock(plan.framework, options)
        )
        return self.session
