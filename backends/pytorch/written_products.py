"""Products of tensors that are matrix products, though not written as such."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


class AsMatrixProducts(TorchFunctionMode):
    """Computes products with a vector, and products of every pair of numbers, by `matmul`: both directions count."""

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        """Call a function, or what stands for it."""
        if func in _PRODUCTS and not kwargs:
            match args:
                case [Tensor() as x, Tensor() as y] if _makes_pairs(x, y):
                    return _pairs(x, y)
        return _WRITTEN_OUT.get(func, func)(*args, **(kwargs or {}))


_PRODUCTS = {
    torch.mul,
    torch.multiply,
    torch.Tensor.mul,
    torch.Tensor.multiply,
    torch.Tensor.__mul__,
    torch.Tensor.__rmul__,
}


def _makes_pairs(x: Tensor, y: Tensor) -> bool:
    """Return whether an elementwise product is larger than both of its factors."""
    if not (x.is_floating_point() and x.dtype == y.dtype):
        return False
    return prod(np.broadcast_shapes(x.shape, y.shape)) > max(x.numel(), y.numel())


def _pairs(x: Tensor, y: Tensor) -> Tensor:
    products: Tensor = x[..., None, None] @ y[..., None, None]
    return products[..., 0, 0]


def _scalar_products(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    shape = np.broadcast_shapes(x.shape, y.shape)
    x, y = (tensor.expand(shape).movedim(dim, -1) for tensor in (x, y))
    return (x.conj().unsqueeze(-2) @ y.unsqueeze(-1)).squeeze(-1).squeeze(-1)


def _matrix_vector(matrix: Tensor, vector: Tensor) -> Tensor:
    products: Tensor = matrix @ vector.unsqueeze(-1)
    return products.squeeze(-1)


def _added_matrix_vector(added: Tensor, matrix: Tensor, vector: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    found: Tensor = beta * added + alpha * _matrix_vector(matrix, vector)
    return found


def _matmul(x: Tensor, y: Tensor) -> Tensor:
    if y.dim() == 1:
        return _matrix_vector(x.unsqueeze(0), y).squeeze(0)
    return (x.unsqueeze(-2) @ y).squeeze(-2) if x.dim() == 1 else x @ y


def _dot(x: Tensor, y: Tensor) -> Tensor:
    return _scalar_products(x.conj(), y)


def _outer(x: Tensor, y: Tensor) -> Tensor:
    return x.unsqueeze(-1) @ y.unsqueeze(-2)


_WRITTEN_OUT: dict[Callable[..., object], Callable[..., Tensor]] = {
    torch.linalg.vecdot: _scalar_products,
    torch.vdot: _scalar_products,
    torch.Tensor.vdot: _scalar_products,
    torch.dot: _dot,
    torch.Tensor.dot: _dot,
    torch.mv: _matrix_vector,
    torch.Tensor.mv: _matrix_vector,
    torch.addmv: _added_matrix_vector,
    torch.Tensor.addmv: _added_matrix_vector,
    torch.matmul: _matmul,
    torch.Tensor.matmul: _matmul,
    torch.Tensor.__matmul__: _matmul,
    torch.outer: _outer,
    torch.Tensor.outer: _outer,
    torch.ger: _outer,
    torch.Tensor.ger: _outer,
}
