"""Plain subsampling, to compare aggregation with: of the rows at aggregated positions, only one a position is used."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from epsl_opt.backends.pytorch.aggregation import AggregatedRows, Backpropagation, gradient_of, unchanged_statistics


def subsample(generator: torch.Generator) -> Backpropagation:
    """Backpropagate, at each position, the row of one client drawn by its share; the other clients get nothing.

    The server backpropagates m rows, as with aggregation. Its gradient is that of `representative`; a client learns
    from its own drawn rows only, weighted by 1 / lambda_i, so that both gradients are PSL's in expectation.
    """

    def backpropagate(server: nn.Sequential, rows: AggregatedRows) -> tuple[Tensor, Tensor]:
        m = rows.labels.shape[1]
        drawn = torch.multinomial(rows.shares.cpu(), m, replacement=True, generator=generator).to(rows.labels.device)
        positions = torch.arange(m, device=drawn.device)
        with torch.no_grad():
            losses = functional.cross_entropy(
                server(rows.smashed.flatten(0, 1)), rows.labels.flatten(), reduction="none"
            )
        points = rows.smashed[drawn, positions].requires_grad_()
        with unchanged_statistics(server):
            own = functional.cross_entropy(server(points), rows.labels[drawn, positions], reduction="sum")
        torch.autograd.backward(own * rows.scale)
        gradient = torch.zeros_like(rows.smashed)
        weights = 1 / rows.shares[drawn]
        gradient[drawn, positions] = weights.view(-1, *[1] * (points.dim() - 1)) * gradient_of(points)
        return rows.weighted_loss(losses), gradient

    return backpropagate
