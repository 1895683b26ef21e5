"""What the server tells a client to do, as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic import ValidationError

from epsl_opt.backends.pytorch.options import TorchOptions
from epsl_opt.core.errors import InputError
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance import Instance
from epsl_opt.core.json_record import parse_record
from epsl_opt.core.schedule import Schedule
from epsl_opt.plugins.backend import TrainingPlan

_SOURCE = "the server's plan"


@dataclass(frozen=True)
class Assignment:
    """A plan, and one of its clients by index."""

    plan: TrainingPlan
    options: TorchOptions
    client: int

    def to_bytes(self) -> bytes:
        """Write it down."""
        plan, schedule = self.plan, self.plan.schedule
        document: dict[str, object] = {
            "instance": plan.instance.to_document(),
            "cut_layer": schedule.cut_layer,
            "subchannel_client": schedule.subchannel_client.tolist(),
            "subchannel_power_w": schedule.subchannel_power_w.tolist(),
            "framework": plan.framework.value,
            "task": plan.task,
            "seed": plan.seed,
            "average_every": plan.average_every,
            "options": self.options.model_dump(mode="json"),
            "client": self.client,
        }
        return json.dumps(document).encode()


def read_assignment(content: bytes) -> Assignment:
    """Read what `Assignment.to_bytes` wrote.

    Raises
    ------
    InputError
        If it is anything else.
    """
    try:
        found = json.loads(content)
        instance = parse_record(Instance, found["instance"], _SOURCE)
        schedule = Schedule(found["cut_layer"], found["subchannel_client"], found["subchannel_power_w"])
        framework, task, seed = Framework(found["framework"]), str(found["task"]), int(found["seed"])
        plan = TrainingPlan(instance, schedule, framework, task, seed, found["average_every"])
        return Assignment(plan, TorchOptions.model_validate(found["options"]), int(found["client"]))
    except ValidationError as error:
        raise InputError.from_validation(_SOURCE, error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(_SOURCE, f"is wrong: {error}") from error
