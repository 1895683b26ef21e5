"""A whole campaign: its inputs divided among the parts, tried, and what came of them."""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from campaign.faults import Fault
from campaign.parts import load
from campaign.pool import Pool, Setting, prepare

PROGRESS_EVERY_S = 10.0
MOST_TOLD = 5
"""Faults of one input that are printed; the others are in its folder."""


@dataclass(frozen=True)
class CampaignPlan:
    """What to run: a number of inputs in all, or one input of one part if `only` is given."""

    inputs: int
    jobs: int
    seed: int
    parts: Sequence[str]
    only: int | None
    output: Path


@dataclass(frozen=True)
class PartResult:
    """What came of one part."""

    name: str
    title: str
    inputs: int
    faults: tuple[tuple[int, Fault], ...]
    elapsed_s: float
    missing: str | None = None


def run_campaign(plan: CampaignPlan) -> list[PartResult]:
    """Run the parts one after the other."""
    shares = {name: load(name).share for name in plan.parts}
    total = sum(shares.values())
    return [_run_part(plan, name, max(1, round(plan.inputs * share / total))) for name, share in shares.items()]


def _run_part(plan: CampaignPlan, name: str, inputs: int) -> PartResult:
    part = load(name)
    numbers = range(inputs) if plan.only is None else [plan.only]
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="campaign-workshop-") as folder:
        setting = Setting(part, plan.seed, Path(folder), plan.output.resolve())
        missing = prepare(setting)
        found = [] if missing else _tried(plan, Pool(setting, min(plan.jobs, len(numbers))), numbers)
    elapsed_s = time.monotonic() - started_s
    return PartResult(name, part.title, 0 if missing else len(numbers), tuple(found), elapsed_s, missing)


def _tried(plan: CampaignPlan, pool: Pool, numbers: Sequence[int]) -> list[tuple[int, Fault]]:
    name = pool.setting.part.name
    found: list[tuple[int, Fault]] = []
    told_s = time.monotonic()
    for done, (number, faults) in enumerate(pool.run(numbers), 1):
        found += [(number, fault) for fault in faults]
        if faults:
            _tell(plan, name, number, faults)
        if time.monotonic() - told_s > PROGRESS_EVERY_S:
            told_s = time.monotonic()
            _say(f"{name}: {done} of {len(numbers)} inputs, {len(found)} faults")
    return sorted(found, key=lambda pair: pair[0])


def _tell(plan: CampaignPlan, name: str, number: int, faults: Sequence[Fault]) -> None:
    print(f"{name}, seed {plan.seed}, number {number}")
    for fault in faults[:MOST_TOLD]:
        print(f"  {fault}")
    if len(faults) > MOST_TOLD:
        print(f"  and {len(faults) - MOST_TOLD} more")
    print(f"  repeat: {repetition(name, plan.seed, number)}", flush=True)


def repetition(name: str, seed: int, number: int) -> str:
    """Return the command that tries one input again."""
    return f"make campaign PART={name} SEED={seed} ONLY={number}"


def by_kind(result: PartResult) -> Counter[str]:
    """Count a part's faults by kind."""
    return Counter(fault.kind.label for _, fault in result.faults)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
