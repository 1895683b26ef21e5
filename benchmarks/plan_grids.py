"""What `plan_hindsight` plans for: grids of trainings, and cells that decide how long rounds take."""

from __future__ import annotations

from dataclasses import dataclass, field

from epsl_opt.core.framework import Framework
from epsl_opt.planning.grid import Grid

SEEDS = (0, 1, 2)
SLOW, NARROW = "server_cycles_per_s=5e8", "bandwidth_hz=1e6"
TUNED_ON = ("digits-mlp, 0.85: seed=0", "digits-mlp, 0.85: subchannels=C")
"""The settings that the planner's constants were looked at on; the table counts the others only."""


@dataclass(frozen=True, eq=False)
class Learning:
    """A grid of trainings: what is learned, by how many clients, to which accuracies.

    Parameters
    ----------
    name, task, clients, targets
        As they say; a training ends at the highest target.
    options
        Of the backend.
    horizon
        Rounds at most.
    cuts
        Cut layers.
    """

    name: str
    task: str
    clients: int
    targets: tuple[float, ...]
    horizon: int
    cuts: tuple[str, ...]
    options: dict[str, object] = field(default_factory=dict)
    batch_size: int = 8

    @property
    def grid(self) -> Grid:
        """The points."""
        return Grid(
            frameworks=(Framework.EPSL, Framework.PSL, Framework.SFL, Framework.SL),
            aggregation_ratios=(0.5,),
            cut_layers=self.cuts,
            batch_sizes=(self.batch_size,),
            average_every=(None, 5),
            learning_rates=(0.03, 0.1, 0.3),
            sequential_rates=(0.01, 0.03, 0.1),
        )

    @property
    def cells(self) -> dict[str, str]:
        """Name -> instance."""
        variants = (*(f"seed={k}" for k in range(3)), "subchannels=C", "fading=rician", "radius_m=60", SLOW, NARROW)
        return {name: f"paper:clients={self.clients},{_spelled(name, self.clients)}" for name in variants}


def _spelled(variant: str, clients: int) -> str:
    if variant.startswith("seed="):
        return variant
    return f"{variant.replace('=C', f'={clients}')},seed=3"


MLP = {"network": "mlp"}
SKEWED = {"partition": "dirichlet", "alpha": 0.3}

GRIDS = (
    Learning("digits-mlp", "digits", 5, (0.75, 0.85), 90, ("fc1", "fc2"), MLP),
    Learning("features-mlp", "synthetic:features=32,classes=6", 5, (0.7, 0.8), 90, ("fc1", "fc2"), MLP),
    Learning("digits-mlp-skewed", "digits", 5, (0.7, 0.8), 90, ("fc1", "fc2"), MLP | SKEWED),
    Learning("digits-mlp-10", "digits", 10, (0.75, 0.85), 90, ("fc1", "fc2"), MLP),
    Learning("blots-cnn", "synthetic:samples=1500", 5, (0.5, 0.7), 90, ("pool1", "fc1")),
)
