"""Formulas for the FLOPs of operators that PyTorch's counter does not have, or has wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np
import torch
from torch._ops import OpOverloadPacket
from torch.utils.flop_counter import conv_flop_count, flop_registry

Shape = Sequence[int]


def _convolution_backward(
    gradient: Shape,
    given: Shape,
    weight: Shape,
    _bias: object,
    _stride: object,
    _padding: object,
    _dilation: object,
    transposed: bool,
    _output_padding: object,
    _groups: object,
    wanted: Sequence[bool],
    **_kwargs: object,
) -> int:
    """Return the FLOPs of a convolution's backward pass; PyTorch's own formula forgets the groups.

    The gradient of the input and that of the weights take the forward pass's products each.
    """
    forward = conv_flop_count(list(given), list(weight), list(gradient), transposed)
    return (int(wanted[0]) + int(wanted[1])) * forward


def _matrix_vector(matrix: Shape, _vector: Shape, **_kwargs: object) -> int:
    return 2 * prod(matrix)


def _added_matrix_vector(_added: Shape, matrix: Shape, _vector: Shape, **_kwargs: object) -> int:
    return 2 * prod(matrix)


def _scalar_product(x: Shape, _y: Shape, **_kwargs: object) -> int:
    return 2 * prod(x)


def _added_outer(_added: Shape, x: Shape, y: Shape, **_kwargs: object) -> int:
    return 2 * prod(x) * prod(y)


def _added_batches(_added: Shape, x: Shape, y: Shape, **_kwargs: object) -> int:
    return 2 * prod(x) * y[-1]


def _trilinear(*factors_and_axes: Sequence[int], **_kwargs: object) -> int:
    """Return the FLOPs of sums of products of three numbers, counted as PyTorch counts two: one multiply-add each."""
    shapes = []
    for shape, expanded in zip(factors_and_axes[:3], factors_and_axes[3:6], strict=True):
        whole = list(shape)
        for axis in sorted(expanded):
            whole.insert(axis, 1)
        shapes.append(whole)
    return 2 * prod(np.broadcast_shapes(*shapes))


def _distances(x: Shape, y: Shape, *_options: object, **_kwargs: object) -> int:
    """Return the FLOPs of the distances between rows of two matrices; a difference and its power are one of them."""
    return 2 * prod(np.broadcast_shapes(x[:-2], y[:-2])) * x[-2] * y[-2] * x[-1]


def _distances_backward(_gradient: Shape, x: Shape, y: Shape, *_options: object, **_kwargs: object) -> int:
    return _distances(x, y)


def _time_convolution(given: Shape, weight: Shape, *_options: object, out_shape: Shape, **_kwargs: object) -> int:
    return 2 * prod(out_shape[:2]) * prod(weight)


_aten = torch.ops.aten

FORMULAS: dict[OpOverloadPacket, Callable[..., int]] = {
    _aten.convolution_backward: _convolution_backward,
    _aten.mv: _matrix_vector,
    _aten.addmv: _added_matrix_vector,
    _aten.addmv_: _added_matrix_vector,
    _aten.dot: _scalar_product,
    _aten.vdot: _scalar_product,
    _aten.addr: _added_outer,
    _aten.addr_: _added_outer,
    _aten.addbmm: _added_batches,
    _aten.addbmm_: _added_batches,
    _aten.addmm_: flop_registry[_aten.addmm],
    _aten.baddbmm_: flop_registry[_aten.baddbmm],
    _aten._trilinear: _trilinear,
    _aten._cdist_forward: _distances,
    _aten._euclidean_dist: _distances,
    _aten._cdist_backward: _distances_backward,
    _aten.conv_tbc: _time_convolution,
}
"""By operator; shapes in place of tensors."""
