"""Planning from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from epsl_opt.campaigns.engines import Engine
from epsl_opt.core.defaults import DEFAULT_BACKEND, DEFAULT_TASK
from epsl_opt.core.framework import Framework
from epsl_opt.core.instance import Instance
from epsl_opt.planning.plan import Plan, plan_from_table, plan_with_pilots
from epsl_opt.planning.rounds_table import read_rounds_table
from epsl_opt.planning.wishes import Wishes
from epsl_opt.plugins.backend import AnyBackend
from epsl_opt.plugins.registry import load_backend
from epsl_opt.training.request import backend_options, ready


def plan(
    instance: Instance,
    *,
    target: float | None = None,
    task: str = DEFAULT_TASK,
    frameworks: Sequence[str] | None = None,
    phi: Sequence[float] | None = None,
    cut_layers: Sequence[str] | None = None,
    min_cut: str | None = None,
    batch_sizes: Sequence[int] | None = None,
    average_every: Sequence[int | None] | None = None,
    learning_rates: Sequence[float] | None = None,
    seeds: Sequence[int] | None = None,
    rounds: int | None = None,
    rounds_table: str | Path | None = None,
    quick: bool = False,
    options: Mapping[str, object] | None = None,
    backend: str | AnyBackend = DEFAULT_BACKEND,
    folder: str | Path | None = None,
    engine: Engine | None = None,
) -> Plan:
    """Plan what to train, so that a target accuracy comes soonest on an instance.

    Parameters
    ----------
    target
        Test accuracy to reach, a fraction; not needed with a table of rounds.
    task
        What is learned; it must be one of the backend's.
    frameworks, phi, cut_layers, min_cut, batch_sizes, average_every, learning_rates
        The grid; what is not given is chosen (see `planning.wishes`). None among `average_every` is never.
    seeds, rounds
        Of the pilots of a point, and how far each goes at most.
    rounds_table
        A file with rounds to target that are known already: nothing is trained then.
    quick
        Whether to take a smaller grid where none is given.
    options, backend
        Who trains, with which options.
    folder
        Where pilots are kept, to go on from, as the command line does.
    engine
        Where they are trained; in this process if None.

    Raises
    ------
    InputError
        If anything asked for does not work.
    KeyboardInterrupt
        If the user stops it; with a folder the same call goes on.
    """
    if rounds_table is not None:
        return plan_from_table(instance, read_rounds_table(rounds_table), None)
    wishes = Wishes(
        frameworks=None if frameworks is None else [Framework(name) for name in frameworks],
        aggregation_ratios=phi,
        cut_layers=cut_layers,
        min_cut=min_cut,
        batch_sizes=batch_sizes,
        average_every=average_every,
        learning_rates=learning_rates,
        seeds=seeds,
        quick=quick,
    )
    trainer = ready(load_backend(backend) if isinstance(backend, str) else backend)
    fitted = wishes.request(trainer, backend_options(trainer, options or {}), task, target, rounds).fit(instance)
    points = wishes.grid(fitted.instance, trainer).points()
    kept = None if folder is None else Path(folder)
    return plan_with_pilots(fitted, points, wishes.chosen_seeds, folder=kept, engine=engine)
