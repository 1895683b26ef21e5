"""The chain of segments against the network itself, before anything is trained with it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

import torch
from torch import Tensor, nn

from epsl_opt.backends.pytorch.counting import FlopCounter
from epsl_opt.backends.pytorch.findings import GRADIENT, Found, alike, differing
from epsl_opt.backends.pytorch.module_state import Watch, attributes, load, tensors
from epsl_opt.backends.pytorch.randomness import OWN_GENERATORS, generators_restored, seed_generators
from epsl_opt.backends.pytorch.steadiness import Spare
from epsl_opt.backends.pytorch.trial_inputs import Inputs, runnable_inputs, what_failed
from epsl_opt.core.errors import InputError

Backward = Callable[[Tensor], object]
Pass = Callable[[Tensor], tuple[Tensor, Backward]]

COSTLY_FLOPS = 1e8
"""Of the forward pass of two samples; a network that costs more is compared in fewer steps."""


@dataclass(frozen=True)
class Round:
    """Some steps of training with the same samples and random numbers on both sides, and an evaluation.

    Parameters
    ----------
    samples
        Of a batch.
    spread
        How far parameters are drawn away from where they begin, in their own mean absolute values.
    offset
        The same in absolute terms: weights that a network keeps in bounds, or from becoming negative, leave them.
    steps
        How many.
    """

    samples: int
    spread: float = 0.0
    offset: float = 0.0
    steps: int = 2


ROUNDS = (Round(2), Round(3, spread=0.5), Round(5, offset=1.5))
FEW_ROUNDS = (Round(2, steps=1), Round(3, spread=0.5, steps=1))


def refuse_other(name: str, network: nn.Module, segments: Sequence[nn.Module], example: Tensor) -> None:
    """Refuse segments that, copied and cut from one another as in a training, are not the network.

    Output, gradients of the input and of every parameter, and buffers are compared over steps of training from
    several weights, and the output in evaluation, with several seeds of all generators.

    Raises
    ------
    InputError
        If something differs, naming it, or if the network does not do the same every time it is given the same.
    """
    problem = _other_generators(network)
    if problem is None:
        with generators_restored():
            try:
                problem = _Comparison(network, _copied(segments), segments, runnable_inputs(network, example)).problem()
            except Exception as error:
                problem = f"can't be trained and tested in segments: {what_failed(error)}"
    if problem is not None:
        raise InputError(f"network {name}", problem)


def _other_generators(network: nn.Module) -> str | None:
    own = [path for path, value in attributes(network).items() if isinstance(value, OWN_GENERATORS)]
    return f"keeps a generator of random numbers of its own ({own[0]}), which no checkpoint keeps" if own else None


def _copied(segments: Sequence[nn.Module]) -> list[nn.Module]:
    return [copy.deepcopy(segment) for segment in segments]


class _Comparison:
    """Runs a network and the copied segments side by side."""

    def __init__(
        self, network: nn.Module, copies: list[nn.Module], segments: Sequence[nn.Module], inputs: Inputs
    ) -> None:
        self._network, self._copies, self._inputs = network, copies, inputs
        names = {id(tensor): name for name, tensor in tensors(network).items()}
        self._places = {
            names[id(tensor)]: (made, local)
            for segment, made in zip(segments, copies, strict=True)
            for local, tensor in tensors(segment).items()
            if id(tensor) in names
        }
        self._begin = {key: value.clone() for key, value in network.state_dict().items()}

    @property
    def _own(self) -> dict[str, Tensor]:
        # Looked up anew: a pass may put another tensor in a buffer's place.
        return tensors(self._network)

    @property
    def _copied(self) -> dict[str, Tensor]:
        """The same of the copies, under the network's names."""
        return {name: attrgetter(local)(made) for name, (made, local) in self._places.items()}

    def problem(self) -> str | None:
        """Return what is wrong, None if nothing is."""
        spare = Spare(self._network, self._inputs)
        first, flops = self._first_pass()
        if not any(first[f"{GRADIENT}{name}"] is not None for name, _ in self._network.named_parameters()):
            return "has nothing to train: no parameter gets a gradient"
        watch = Watch(self._network)
        if problem := self._unsteady(first, watch, spare):
            return problem
        rounds = ROUNDS if flops < COSTLY_FLOPS else FEW_ROUNDS
        for seed, entry in enumerate(rounds):
            for found in self._differences(seed, entry):
                return found
        return self._unsteady(first, watch, spare)

    def _first_pass(self) -> tuple[Found, int]:
        with FlopCounter() as counter:
            found = self._repeated()
        return found, counter.flops

    def _repeated(self) -> Found:
        load(self._network, self._begin)
        return self._run(_whole(self._network), self._inputs.batch(2, seed=0), lambda: self._own, seed=0)

    def _differences(self, seed: int, entry: Round) -> Iterator[str]:
        self._set_out(seed, entry)
        for step in range(entry.steps):
            x, draws = self._inputs.batch(entry.samples, seed + step), 10 * seed + step
            unused = {name: _clone(t) for name, t in self._own.items() if name not in self._places}
            whole = self._run(_whole(self._network), x, lambda: self._own, draws)
            cut = unused | self._run(_in_segments(self._copies), x, lambda: self._copied, draws)
            yield from (_told(key, "training") for key in differing(whole, cut))
            self._descend(whole)
        seed_generators(seed)
        expected = evaluated(self._network, self._inputs.batch(entry.samples, seed))
        seed_generators(seed)
        found = evaluated(nn.Sequential(*self._copies), self._inputs.batch(entry.samples, seed))
        if not alike(expected, found):
            yield _told("the output", "evaluation")

    @torch.no_grad()
    def _set_out(self, seed: int, entry: Round) -> None:
        """Give both the same parameters, some way from those they began with."""
        load(self._network, self._begin)
        generator = torch.Generator().manual_seed(seed)
        copied = self._copied
        for name, tensor in self._own.items():
            if isinstance(tensor, nn.Parameter) and tensor.is_floating_point():
                width = entry.spread * tensor.abs().mean() + entry.offset
                tensor.add_((width * torch.randn(tensor.shape, generator=generator)).to(tensor.dtype))
            if name in copied:
                copied[name].copy_(tensor)

    @torch.no_grad()
    def _descend(self, found: Found) -> None:
        for name, parameter in self._network.named_parameters():
            gradient = found[f"{GRADIENT}{name}"]
            for tensor in (parameter, self._copied.get(name)):
                if tensor is not None and gradient is not None:
                    tensor.sub_(0.1 * gradient)

    def _run(self, run: Pass, x: Tensor, own: Callable[[], dict[str, Tensor]], seed: int) -> Found:
        """Return output and gradients of a pass, and the buffers after it."""
        for tensor in own().values():
            tensor.grad = None
        given = x.requires_grad_(x.is_floating_point() and seed % 2 == 1)
        seed_generators(seed)
        output, backward = run(given.clone())
        if output.requires_grad:
            generator = torch.Generator().manual_seed(seed)
            backward(torch.randn(output.shape, generator=generator).to(output.dtype))
        gradients = {f"{GRADIENT}{name}": _clone(t.grad) for name, t in own().items() if t.is_leaf}
        buffers: Found = {name: _clone(t) for name, t in own().items() if not isinstance(t, nn.Parameter)}
        return {"the output": output.detach(), f"{GRADIENT}its input": given.grad} | gradients | buffers

    def _unsteady(self, first: Found, watch: Watch, spare: Spare) -> str | None:
        """Tell a network that keeps what no checkpoint keeps; what only rounds otherwise is none."""
        again = self._repeated()
        changed = [path for path, matters in watch.changed_attributes().items() if matters]
        if changed:
            return f"changes its attribute {changed[0]} whenever it runs, which no checkpoint keeps"
        differences = list(differing(first, again))
        if differences and not spare.is_steady():
            key = differences[0]
            return f"does not do the same when it is given the same: {key} depends on earlier passes or on chance"
        return None


def _whole(network: nn.Module) -> Pass:
    def run(x: Tensor) -> tuple[Tensor, Backward]:
        output = network.train()(x)
        return output, output.backward

    return run


def _in_segments(segments: Sequence[nn.Module]) -> Pass:
    """Return a pass in which segments see one another through what is sent alone."""

    def run(x: Tensor) -> tuple[Tensor, Backward]:
        ends = []
        for segment in segments:
            sent = segment.train()(x)
            x = sent.detach().clone().requires_grad_(sent.requires_grad)
            ends.append((sent, x))

        def backward(gradient: Tensor) -> None:
            ends[-1][0].backward(gradient)
            for sent, received in reversed(ends[:-1]):
                if received.grad is not None:
                    sent.backward(received.grad)

        return ends[-1][0], backward

    return run


@torch.inference_mode()
def evaluated(module: nn.Module, x: Tensor) -> Tensor:
    """Return what a module answers when it is tested."""
    output: Tensor = module.eval()(x)
    return output


def _clone(tensor: Tensor | None) -> Tensor | None:
    return None if tensor is None else tensor.detach().clone()


def _told(key: str, mode: str) -> str:
    remedy = "hooks, blocks and changes to the network belong into modules of their own"
    return f"is not the chain of its segments: {key} is another in {mode}; {remedy}"
