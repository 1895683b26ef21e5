"""A base station's loop: instance files come into a folder, schedule files go into another."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from epsl_opt.core.defaults import DEADLINE_S
from epsl_opt.core.errors import InputError
from epsl_opt.core.json_text import format_json
from epsl_opt.core.results import Limits, SolveResult
from epsl_opt.files.documents import ScheduleDocument
from epsl_opt.files.json_files import prepare_folder
from epsl_opt.files.writing import write_bytes
from epsl_opt.solving.arrivals import Arrival, Folder
from epsl_opt.solving.live import Rescheduler
from epsl_opt.solving.provenance import cpu, versions

POLL_S = 0.005
BUSY = 4
"""Looking at a folder takes at most one part in so many of the time."""

LATEST = "latest.json"
LEAST_SHARE = 0.35
"""Of the deadline, for solving, however late it is already: a schedule made in no time is worth little."""

SPARE_SHARE = 0.1
"""Of the deadline, for what comes after solving to take longer than ever."""

REMEMBERED = 50


@dataclass(frozen=True)
class Reaction:
    """What came of one instance file, and where the time went, in seconds.

    `reaction_s` is from the file's arrival to its schedule in place (to the result, if there is none); `wait_s` passed
    before the file was read, `judge_s` went into digest, checks and provenance after solving. `output` is None if there
    is no verified schedule.
    """

    source: Path
    output: Path | None
    result: SolveResult
    skipped: int
    reaction_s: float
    wait_s: float
    read_s: float
    judge_s: float
    write_s: float

    @property
    def warm(self) -> bool:
        """Whether the solver started from the schedule before."""
        return bool(self.result.warm_start)


class Station:
    """Makes a schedule of every arrival, if it can by the deadline, and puts it into the output folder.

    Parameters
    ----------
    rescheduler
        Who solves.
    output
        Folder for `NAME.schedule.json` and `latest.json`, which always is the last schedule made.
    limits
        Of each solve; what is left until the deadline may be less time.
    deadline_s
        From arrival to schedule. What reading and writing take is learnt on the way; however late it is, a solver gets
        `LEAST_SHARE` of this.

    Raises
    ------
    InputError
        If the output folder can't be made or written to.
    """

    def __init__(
        self,
        rescheduler: Rescheduler,
        output: Path,
        limits: Limits | None = None,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._rescheduler, self._output, self._limits = rescheduler, output, limits or Limits()
        self._deadline_s = deadline_s
        self._tails_s: deque[float] = deque(maxlen=REMEMBERED)
        prepare_folder(output)
        versions(), cpu()  # asked for once, so that the first schedule does not wait for them

    def react(self, arrival: Arrival) -> Reaction:
        """Solve and write.

        Raises
        ------
        InputError
            If the schedule can't be written.
        """
        limits = replace(self._limits, time_s=min(self._limits.time_s, self._time_s(arrival)))
        start_s = time.perf_counter()
        result = self._rescheduler.solve(arrival.instance, limits)
        solved_s = time.perf_counter()
        output = None if result.schedule is None else self._write(arrival, result)
        end_s = time.perf_counter()
        self._tails_s.append(end_s - start_s - min(result.build_s + result.solve_s, limits.time_s))
        return Reaction(
            source=arrival.path,
            output=output,
            result=result,
            skipped=arrival.skipped,
            reaction_s=max(time.time() - arrival.came_s, 0.0),
            wait_s=arrival.wait_s,
            read_s=arrival.read_s,
            judge_s=solved_s - start_s - result.build_s - result.solve_s,
            write_s=end_s - solved_s,
        )

    def _time_s(self, arrival: Arrival) -> float:
        """What the solver may take: all but what has passed and what of late came after solving, at the most."""
        after_s = max(self._tails_s, default=0.0) + SPARE_SHARE * self._deadline_s
        left_s = self._deadline_s - (time.time() - arrival.came_s) - after_s
        return max(left_s, LEAST_SHARE * self._deadline_s)

    def _write(self, arrival: Arrival, result: SolveResult) -> Path:
        content = format_json(ScheduleDocument.from_result(arrival.instance, result).to_document()).encode()
        output = self._output / f"{arrival.path.stem}.schedule.json"
        write_bytes(self._output / LATEST, content, durable=False)
        write_bytes(output, content, durable=False)
        return output


def watch(
    folder: Folder, station: Station, stop: Callable[[], bool] | None = None, until_empty: bool = False
) -> Iterator[Reaction]:
    """React to what is in a folder and to what comes, and yield every reaction.

    Parameters
    ----------
    folder, station
        Where files come, and who reacts.
    stop
        Asked between two looks at the folder; true ends the loop.
    until_empty
        End when nothing is left in the folder.

    Raises
    ------
    InputError
        If the folder can't be looked at, or a schedule can't be written, any more.
    """
    while stop is None or not stop():
        start_s = time.perf_counter()
        arrival = folder.take()
        if arrival is not None:
            yield station.react(arrival)
        elif until_empty and folder.is_empty:
            return
        else:
            time.sleep(max(POLL_S, BUSY * (time.perf_counter() - start_s)))


def refuse_same_folder(folder: Path, output: Path) -> None:
    """Raise if schedules would be written where instances come.

    Raises
    ------
    InputError
        If so.
    """
    if output.exists() and output.samefile(folder):
        raise InputError(str(output), "is the folder that is watched; give the output another")
