"""Who is named when ranks fail: decided by the signs of life that ranks leave, whatever the connections say."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from typing import cast

import pytest
import torch.distributed as dist

from epsl_opt.backends.distributed import life
from epsl_opt.backends.distributed.clients import Clients
from epsl_opt.backends.distributed.failures import LinkError, RankError
from epsl_opt.backends.distributed.group import Group
from epsl_opt.backends.distributed.life import Life, listen
from epsl_opt.backends.distributed.wire import Command, Pair
from epsl_opt.core.errors import InputError

RANKS = (1, 2, 3)
TIMEOUT_S = 600.0


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make signs frequent."""
    monkeypatch.setattr(life, "BEAT_S", 0.01)
    monkeypatch.setattr(life, "_LISTEN_S", (0.4, 1.5))


@pytest.fixture
def group() -> Group:
    """Return a server that stands alone, with a store in this process."""
    store = dist.HashStore()
    return Group(0, len(RANKS) + 1, TIMEOUT_S, store, cast(dist.ProcessGroup, None), Life(store, 0))


@pytest.fixture
def lives(group: Group) -> Iterator[dict[int, Life]]:
    """Let all clients show that they run and wait; as the server would see them."""
    found = {rank: Life(group.store, rank) for rank in RANKS}
    with ExitStack() as blocks:
        for sign in found.values():
            blocks.enter_context(sign.waiting())
        yield found
    for sign in found.values():
        sign.leave()


def vanish(lives: dict[int, Life], rank: int) -> None:
    """Let a client's signs end without a last word, as those of a process that was killed or stopped do."""
    lives[rank]._over.set()


def blamed(group: Group, failing: dict[int, bool]) -> str:
    """Return how the server refuses when links to some ranks fail, timed out or not."""

    def fail(number: int, pair: Pair) -> None:
        if pair.rank in failing:
            raise LinkError(pair.rank, RuntimeError("any words"), timed_out=failing[pair.rank])

    clients = Clients(group)
    with pytest.raises((RankError, InputError)) as caught:
        clients.each(range(len(RANKS)), fail)
    clients.end()
    return str(caught.value)


@pytest.mark.parametrize(("gone", "timed_out"), list(itertools.product(RANKS, (True, False))))
def test_the_rank_without_signs_is_named_whichever_links_fail(
    gone: int, timed_out: bool, group: Group, lives: dict[int, Life]
) -> None:
    """When all links end because of one rank, or only one of another rank does, the one without signs is named."""
    vanish(lives, gone)
    other = next(rank for rank in RANKS if rank != gone)
    what = "gave no sign within 600 s" if timed_out else "died"
    for failing in (RANKS, (gone,), (other,)):
        assert blamed(group, dict.fromkeys(failing, timed_out)) == f"rank {gone} (client {gone - 1}) {what}"


def test_a_silent_rank_is_not_called_dead(group: Group, lives: dict[int, Life]) -> None:
    """After one wait is over, gloo breaks all other connections: it was the silence that ended the job."""
    vanish(lives, 2)
    assert blamed(group, {1: True, 2: False, 3: False}) == "rank 2 (client 1) gave no sign within 600 s"


def test_a_stuck_rank_is_named_among_those_alive(group: Group, lives: dict[int, Life]) -> None:
    """Where all ranks run, the one that waits for nobody is the one that the others waited for."""
    lives[3]._state = "working"
    assert blamed(group, dict.fromkeys(RANKS, True)) == "rank 3 (client 2) gave no sign within 600 s"
    assert blamed(group, {1: True}) == "rank 3 (client 2) gave no sign within 600 s"


def test_who_leaves_because_of_the_server_is_not_to_blame(group: Group, lives: dict[int, Life]) -> None:
    """A client that ends since the server closed the connection says so, and is not taken for the silent one."""
    lives[1].leave()
    vanish(lives, 2)
    assert blamed(group, dict.fromkeys(RANKS, True)) == "rank 2 (client 1) gave no sign within 600 s"


def test_a_lost_connection_names_its_rank(group: Group, lives: dict[int, Life]) -> None:
    """Where all ranks run and wait, the connection that broke is all there is to say."""
    assert blamed(group, {2: False}) == "rank 2 (client 1) died"


def test_what_a_rank_says_of_itself_comes_first(group: Group, lives: dict[int, Life]) -> None:
    """A client that ended with a problem of its own is quoted, however the links to it and others failed."""
    vanish(lives, 2)
    group.store.set("input/3", "no such file")
    assert blamed(group, dict.fromkeys(RANKS, False)) == "rank 3 (client 2): no such file"
    group.store.set("failed/1", "out of memory")
    assert blamed(group, dict.fromkeys(RANKS, False)) == "rank 1 (client 0) failed: out of memory"


def test_interrupted_without_a_dead_rank_is_no_failure(group: Group, lives: dict[int, Life]) -> None:
    """Asked whether a client is gone, the server refuses exactly if one gives no sign."""
    clients = Clients(group)
    clients.refuse_dead()
    vanish(lives, 3)
    with pytest.raises(RankError, match=r"^rank 3 \(client 2\) died$"):
        clients.refuse_dead()
    clients.end()


def test_no_group_is_a_lost_link(group: Group, lives: dict[int, Life]) -> None:
    """Where the process group is gone, talking to a client fails as a link does, and ending its server is quiet."""
    clients = Clients(group)
    with pytest.raises(LinkError):
        clients.pairs[0].command(Command.ALIVE)
    clients.end()


def test_signs_end_with_their_rank(group: Group, lives: dict[int, Life]) -> None:
    """Only who still gives signs is heard, with whether it waits; a rank that never was there is not."""
    lives[1]._state = "working"
    vanish(lives, 3)
    assert listen(group.store, [1, 2, 3, 4], enough=2) == {1: False, 2: True}
