"""FLOPs counted by PyTorch, where its counter errs or does not see them put right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any

import torch
from torch._ops import OpOverloadPacket
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from epsl_opt.backends.pytorch.flop_formulas import FORMULAS
from epsl_opt.backends.pytorch.free_operators import is_free, operator_name
from epsl_opt.backends.pytorch.written_products import AsMatrixProducts


class FlopCounter:
    """A block in which FLOPs are counted, one multiply-add being two, and operators that can't be are noted.

    Scalar products and products of every pair are computed as the matrix products they are.
    """

    def __init__(self) -> None:
        self._counter = _Counter()
        self._blocks = ExitStack()

    def __enter__(self) -> FlopCounter:
        """Begin to count."""
        self._blocks.enter_context(AsMatrixProducts())
        self._blocks.enter_context(self._counter)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop counting."""
        self._blocks.__exit__(kind, error, trace)

    @property
    def flops(self) -> int:
        """How many so far."""
        return int(self._counter.get_total_flops())

    @property
    def uncounted(self) -> list[str]:
        """Names of operators that compute, and for which there is no formula."""
        return sorted(self._counter.uncounted)


class _Counter(FlopCounterMode):
    """PyTorch's counter with formulas of our own, which notes what it has none for."""

    def __init__(self) -> None:
        super().__init__(display=False, custom_mapping=FORMULAS)
        self.uncounted: set[str] = set()

    def _count_flops(self, func_packet: OpOverloadPacket, out: object, args: object, kwargs: object) -> object:
        if func_packet not in self.flop_registry and not is_free(func_packet):
            self.uncounted.add(operator_name(func_packet))
        return super()._count_flops(func_packet, out, args, kwargs)  # type: ignore[no-untyped-call]


@contextmanager
def countable_kernels() -> Iterator[None]:
    """Keep PyTorch from fused kernels, which count otherwise (attention) or not at all (recurrent layers, encoders)."""
    mkldnn: Any = torch.backends.mkldnn
    before = mkldnn.enabled, torch.backends.mha.get_fastpath_enabled()
    mkldnn.enabled = False
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        mkldnn.enabled = before[0]
        torch.backends.mha.set_fastpath_enabled(before[1])
