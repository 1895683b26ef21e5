"""The command that makes a schedule which a training takes."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from epsl_opt.cli.train_arguments import TrainArguments
from epsl_opt.core.framework import Framework

if TYPE_CHECKING:
    from epsl_opt.training.request import TrainingRequest

_STANDARD_INPUT, _FILE = "-", "schedule.json"


def solve_command(arguments: TrainArguments, request: TrainingRequest) -> str:
    """Return the `epsl-opt solve` after which the same `epsl-opt train`, with the request's task, is not refused."""
    framework = request.framework
    phi = {Framework.EPSL: request.aggregation_ratio, Framework.PSL: 0.0}.get(framework)
    options = {
        "--task": request.task,
        "--network": getattr(request.options, "network", None),
        "--backend": arguments.backend,
        "--batch-size": request.batch_size,
        "--phi": phi,
        "--framework": None if framework.averages_on_request else framework,
        "--average-every": request.average_every,
        "--cut-layers": request.cut_layers and ",".join(request.cut_layers),
        "--min-cut": request.min_cut,
        "-o": _FILE if arguments.schedule in (None, _STANDARD_INPUT) else arguments.schedule,
    }
    words = [word for name, value in options.items() if value is not None for word in (name, str(value))]
    return shlex.join(["epsl-opt", "solve", arguments.instance or "", *words])
