"""A campaign: whatever stops it, what is kept counts, the rest is made once, and it ends as if nothing had happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epsl_opt import InputError
from epsl_opt.campaigns.campaign import Campaign
from epsl_opt.campaigns.engines import Failed, Outcomes, Task, ThisProcess, run_tasks

FATES = ("ends", "fails", "is interrupted", "hears Ctrl-C", "hears Ctrl-C when it is told")


class Squares(Campaign[int, int, int]):
    """Squares numbers, with what it keeps in a dictionary; a number's fate may keep it from that."""

    def __init__(self, n: int, kept: dict[str, int], fates: list[str]) -> None:
        super().__init__({str(number): number for number in range(n)}, None, ThisProcess())
        self.store, self.fates, self.made = kept, iter(fates), Counter[str]()
        self.told: list[tuple[int, bool]] = []
        self.fate = "ends"

    def load(self, key: str, job: int) -> int | None:
        return self.store.get(key)

    def make(self, left: Mapping[str, int]) -> Outcomes[int, int]:
        return run_tasks(self.square, [Task(key, f"number {key}", job) for key, job in left.items()], self.engine)

    def square(self, number: int) -> int:
        self.fate = next(self.fates, "ends")
        self.made[str(number)] += 1
        if self.fate == "fails":
            raise InputError("number", "is odd")
        if self.fate == "hears Ctrl-C":
            raise KeyboardInterrupt
        return number**2

    def keep(self, key: str, value: int) -> int | None:
        if self.fate == "is interrupted":
            return None
        self.store[key] = value
        return value

    def tell(self, failure: str = "") -> None:
        self.told.append((self.done, bool(failure)))
        if self.fate == "hears Ctrl-C when it is told":
            raise KeyboardInterrupt


@given(n=st.integers(0, 5), fates=st.lists(st.sampled_from(FATES), max_size=12))
def test_an_interrupted_campaign_makes_the_rest_only(n: int, fates: list[str]) -> None:
    """However often it is stopped, the same campaign makes what is not kept, and at last all is there in order."""
    kept: dict[str, int] = {}
    left = list(fates)
    while len(kept) < n:
        before = dict(kept)
        campaign = Squares(n, kept, left)
        campaign.run()
        left = list(campaign.fates)
        assert campaign.reused == len(before)
        assert not before.keys() & campaign.made.keys()
        assert max(campaign.made.values(), default=0) <= 1
        assert campaign.found == kept
        assert campaign.done == len(kept) + len(campaign.failed)
        assert campaign.told == [(done, failed) for done, (_, failed) in enumerate(campaign.told, campaign.reused)]
    last = Squares(n, kept, [])
    last.run()
    assert (last.made, last.reused, list(last.found)) == (Counter(), n, [str(number) for number in range(n)])
    assert list(last.found.values()) == [number**2 for number in range(n)]


def test_a_failure_names_its_job_and_has_the_error_that_was_raised_here() -> None:
    """One line says which job failed and why; in this process the error itself is there to be raised."""
    seen: list[Failed] = []

    class Noted(Squares):
        def fail(self, task: Task[object], failure: Failed) -> None:
            seen.append(failure)
            super().fail(task, failure)

    campaign = Noted(2, {}, ["ends", "fails"])
    campaign.run()
    assert campaign.failed == {"1": "number 1: InputError: number: is odd"}
    assert campaign.found == {"0": 0}
    with pytest.raises(InputError, match="is odd"):
        raise seen[0].error or AssertionError
