"""Where which framework wins: certified rounds of many cells, times rounds to target from trainings.

    python -m benchmarks.regimes            # writes docs/regimes.md and its picture
    python -m benchmarks.regimes --show     # prints the tables only

How many rounds a training takes to the target does not depend on the radio: they are those that `plan_hindsight` keeps,
three seeds of every point of a grid. Each cell's rounds are solved anew, for every framework its own; cells differ from
the paper's scenario in one thing, or in subchannels and bandwidth, and each is drawn three times.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.colors import ListedColormap

from benchmarks.plan_grids import GRIDS, Learning
from benchmarks.plan_hindsight import ROUNDS, Table, fitted_to, read_rounds, time_s
from docs_tools.marked_text import markdown_table, write_marked
from epsl_opt.core.framework import Framework
from epsl_opt.planning.plan import LIMITS, priced
from epsl_opt.planning.spread import Spread
from epsl_opt.planning.standing import Standing
from epsl_opt.report.plots.save import save_figure
from epsl_opt.report.plots.style import new_figure, styled

ROOT = Path(__file__).parents[1]
PAGE, PICTURE = ROOT / "docs" / "regimes.md", ROOT / "docs" / "pictures" / "regimes"
LEARNINGS = ("digits-mlp", "features-mlp", "digits-mlp-10")
DRAWS = (0, 1, 2)
PER_CLIENT, BANDWIDTHS_HZ = (1, 2, 4, 8), (1e5, 1e6, 1e7, 1e8)
ALONG: Mapping[str, Sequence[str]] = {
    "subchannels per client": [f"subchannels={n}C" for n in PER_CLIENT],
    "bandwidth of a subchannel": [f"bandwidth_hz={width:g}" for width in BANDWIDTHS_HZ],
    "server": [f"server_cycles_per_s={speed:g}" for speed in (5e8, 5e9, 5e10)],
    "clients": [f"max_cycles_per_s={speed:g}" for speed in (1e9, 1.6e9, 1e10)],
    "line of sight": [f"line_of_sight={kind}" for kind in ("los", "auto", "nlos")],
    "fading": [f"fading={kind}" for kind in ("none", "rician", "rayleigh")],
}
FRAMEWORKS = (Framework.EPSL, Framework.PSL, Framework.SFL, Framework.SL)


@dataclass(frozen=True)
class Cell:
    """What one drawn cell comes to, in simulated seconds.

    `time_s` is the mean time to target of each framework's best point, inf where none gets there; `certain` says
    whether the winner's interval lies below all points of the other frameworks.
    """

    time_s: Mapping[Framework, float]
    certain: bool

    @property
    def winner(self) -> Framework | None:
        """The framework that gets there soonest."""
        best = min(self.time_s, key=self.time_s.__getitem__)
        return best if math.isfinite(self.time_s[best]) else None


def cell(learning: Learning, table: Table, options: str, draw: int) -> Cell:
    """Price every point on a cell, and see which framework is soonest."""
    spec = f"paper:clients={learning.clients},{spelled(options, learning.clients)},seed={draw}"
    base, fitted = fitted_to(learning, spec)
    standings = [
        Standing(p, found) for p, found in priced(fitted.instance, base, learning.grid.points(), LIMITS).items()
    ]
    for each in standings:
        each.horizon = learning.horizon
        each.pilots = {seed: pilot for (point, seed), pilot in table.items() if point == each.point}
    spread = Spread.pooled([each.reached for each in standings if len(each.reached) > 1])
    by_framework = {kind: [s for s in standings if s.point.framework is kind] for kind in FRAMEWORKS}
    times = {kind: min(time_s(each, table) for each in group) for kind, group in by_framework.items()}
    best = min(times, key=times.__getitem__)
    most_s = min(each.most_s(spread) for each in by_framework[best])
    others = [each.least_s(spread) for kind, group in by_framework.items() if kind is not best for each in group]
    return Cell(times, most_s < min(others))


def spelled(options: str, clients: int) -> str:
    """Return a cell's options, with the number of subchannels where that is told per client."""
    parts = [part.split("=") for part in options.split(",")]
    return ",".join(f"{key}={clients * int(value[:-1]) if value.endswith('C') else value}" for key, value in parts)


def typical_s(cells: Sequence[Cell]) -> dict[Framework, float]:
    """Return each framework's geometric mean of times over draws; inf where it does not get there in one of them."""
    return {kind: math.prod(each.time_s[kind] for each in cells) ** (1 / len(cells)) for kind in FRAMEWORKS}


def lead(cells: Sequence[Cell]) -> float:
    """Return how many times longer the second soonest framework takes."""
    first, second = sorted(typical_s(cells).values())[:2]
    return second / first


def winner(cells: Sequence[Cell]) -> Framework | None:
    """Return the framework that is soonest over all draws."""
    times = typical_s(cells)
    best = min(times, key=times.__getitem__)
    return best if math.isfinite(times[best]) else None


def rows(name: str, target: float, axis: str, cells: Mapping[str, Sequence[Cell]]) -> Iterator[Sequence[str]]:
    """Return a row a value: the winner, its lead, in how many draws it is first and certain, all frameworks' times."""
    for value, drawn in cells.items():
        best = winner(drawn)
        if best is None:
            yield f"{name}, {target:g}", axis, value, "none gets there", *("-",) * (3 + len(FRAMEWORKS))
            continue
        first = sum(each.winner is best for each in drawn)
        certain = sum(each.winner is best and each.certain for each in drawn)
        told = [f"{time:.3g}" if math.isfinite(time) else "not reached" for time in typical_s(drawn).values()]
        numbers = (f"{lead(drawn):.2f}", f"{first} of {len(drawn)}", f"{certain} of {len(drawn)}")
        yield f"{name}, {target:g}", axis, value.split("=")[1], f"**{best}**", *numbers, *told


HEAD = "| task | along | value | soonest | lead | first in | certain in | EPSL (s) | PSL (s) | SFL (s) | SL (s) |"
RULE = "|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|"


def along(chosen: Sequence[Learning]) -> str:
    """Return the table of cells that differ in one thing."""
    found = []
    for learning in chosen:
        target, table = max(read_rounds(learning).items())
        for axis, values in ALONG.items():
            cells = {value: [cell(learning, table, value, draw) for draw in DRAWS] for value in values}
            found += rows(learning.name, target, axis, cells)
    return markdown_table(HEAD, RULE, found)


Map = Mapping[tuple[int, float], Sequence[Cell]]


def crossed(learning: Learning) -> Map:
    """Return the cells of all numbers of subchannels and bandwidths."""
    _, table = max(read_rounds(learning).items())
    return {
        (n, width): [cell(learning, table, f"subchannels={n}C,bandwidth_hz={width:g}", draw) for draw in DRAWS]
        for n, width in itertools.product(PER_CLIENT, BANDWIDTHS_HZ)
    }


def draw_map(maps: Mapping[str, Map]) -> None:
    """Draw who wins, and by how much, over subchannels per client and bandwidth."""
    colours = ListedColormap(["#88aadd", "#aaddee", "#ddcc77", "#ee99aa"])
    with styled():
        figure = new_figure(3.2 * len(maps) + 0.6, 3.6)
        for axes, (name, found) in zip(figure.subplots(1, len(maps), squeeze=False)[0], maps.items(), strict=True):
            grid = [[winner(found[n, width]) for width in BANDWIDTHS_HZ] for n in PER_CLIENT]
            index = [[math.nan if best is None else FRAMEWORKS.index(best) for best in line] for line in grid]
            axes.imshow(index, cmap=colours, vmin=-0.5, vmax=3.5, origin="lower", aspect="auto")
            for (row, n), (column, width) in itertools.product(enumerate(PER_CLIENT), enumerate(BANDWIDTHS_HZ)):
                best = grid[row][column]
                told = "none" if best is None else f"{best.upper()}\n{lead(found[n, width]):.2f}x"
                axes.text(column, row, told, ha="center", va="center", fontsize=8)
            axes.set_xticks(range(len(BANDWIDTHS_HZ)), [f"{width / 1e6:g}" for width in BANDWIDTHS_HZ])
            axes.set_yticks(range(len(PER_CLIENT)), [str(n) for n in PER_CLIENT])
            axes.set_title(name)
            axes.set_xlabel("bandwidth of a subchannel, MHz")
            axes.set_ylabel("subchannels per client")
            axes.grid(visible=False)
    save_figure(figure, PICTURE.with_suffix(".png"))


def main() -> None:
    """Write or print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true", help="print the table, and leave docs/regimes.md alone")
    parser.add_argument("--only", choices=LEARNINGS, action="append", help="these trainings only")
    args = parser.parse_args()
    kept = [each for each in GRIDS if each.name in (args.only or LEARNINGS) and (ROUNDS / f"{each.name}.csv").exists()]
    text = along(kept)
    if args.show:
        print(text)
        return
    draw_map({each.name: crossed(each) for each in kept})
    write_marked(PAGE, {"regimes": lambda: text})


if __name__ == "__main__":
    main()
