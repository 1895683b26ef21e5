"""`python -m campaign`: try random inputs on the whole toolkit; exit code 1 if there is any fault."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from campaign.parts import MODULES, load
from campaign.run import CampaignPlan, run_campaign
from campaign.summary import summary_text, write_summary


def main(arguments: Sequence[str]) -> int:
    """Run a campaign as the command line says and return the exit code."""
    options = _parser().parse_args(arguments)
    parts = options.part or list(MODULES)
    if options.only is not None and len(parts) != 1:
        print("campaign: --only needs one --part", file=sys.stderr)
        return 2
    if options.list:
        print("\n".join(f"{name}: {load(name).title}" for name in MODULES))
        return 0
    results = run_campaign(
        CampaignPlan(
            inputs=options.inputs,
            jobs=options.jobs,
            seed=options.seed,
            parts=parts,
            only=options.only,
            output=options.output,
        )
    )
    print(summary_text(results))
    if options.write is not None:
        write_summary(options.write, options.seed, results)
    return int(any(result.faults for result in results))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="campaign", description=__doc__)
    parser.add_argument("--inputs", type=_positive, default=2000, metavar="N", help="in all parts together [2000]")
    parser.add_argument("--jobs", type=_positive, default=2, metavar="N", help="processes side by side [2]")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of all inputs [0]")
    parser.add_argument("--part", action="append", choices=list(MODULES), help="this part only (repeatable)")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="this one input of the part")
    parser.add_argument("--output", type=Path, default=Path("out/campaign"), metavar="DIR", help="for failing inputs")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the figures between the markers of this file")
    parser.add_argument("--list", action="store_true", help="list the parts")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
