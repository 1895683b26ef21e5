"""Operators that cost nothing by convention: elementwise ones, normalisation, pools, look-ups, changes of shape."""

from __future__ import annotations

import re
from functools import cache

import torch
from torch._ops import OpOverloadPacket

_TAGS = {getattr(torch.Tag, name, None) for name in ("pointwise", "reduction", "view_copy", "inplace_view")}

_NAMES = re.compile(
    r"""(native_|fused_|cudnn_|miopen_|mkldnn_|thnn_|sym_|_|unsafe_|safe_|adaptive_|fractional_|weight_)*
    ((batch|layer|group|instance|rms|local_response)_?norm.*|norm|linalg_vector_norm|norm_interface.*|renorm
    |(max|avg|lp)_?(un)?pool.*|(log_)?softmax.*|.*dropout|alpha_dropout
    |(un)?bind|unsqueeze|squeeze.*|view.*|reshape.*|alias.*|as_strided.*|expand.*|permute.*|transpose.*|t|swap.*|narrow.*
    |slice.*|select.*|split.*|chunk|diagonal.*|diag.*|detach.*|movedim|unfold.*|flatten|repeat.*|tile|flip|roll|rot90
    |cat|stack|concat|clone|copy|to_copy|lift.*|contiguous|empty.*|zeros.*|ones.*|full.*|new_.*|arange|linspace|eye
    |tril.*|triu.*|scalar_tensor|fill|zero|set|resize.*|pad|(constant|reflection|replication|circular)_pad.*
    |rand.*|normal.*|uniform|bernoulli|exponential|multinomial|poisson|geometric|cauchy|log_normal|random
    |index.*|gather.*|scatter.*|take.*|put|where|masked.*|embedding|embedding_dense.*|one_hot|nonzero.*|bincount
    |sort|topk|kthvalue|median|mode|unique.*|searchsorted|bucketize|histc
    |sum.*|mean.*|var.*|std.*|prod|amax|amin|max.*|min.*|arg.*|any|all|cum.*|logcumsumexp|logsumexp|logaddexp.*|aminmax
    |im2col|col2im|upsample.*|grid_sampler.*|affine_grid.*|pixel_(un)?shuffle|channel_shuffle
    |prelu.*|glu.*|rrelu.*|gelu.*|.*relu.*|elu.*|celu.*|selu.*|silu.*|mish.*|hard.*|soft.*|log_sigmoid.*|threshold.*
    |.*_loss.*|nll.*|local_scalar_dense|item|equal|is_.*|isin|complex|real|imag|polar|view_as_.*|conj.*|resolve_.*
    |foreach.*|assert.*|linalg_check_errors|functional_.*|has_.*|nested.*|segment_reduce.*|size.*|stride.*|numel.*
    )(_backward.*)?(_copy)?_?""",
    re.VERBOSE,
)

_NAMESPACES = ("prim", "prims", "debugprims", "profiler", "c10d_functional")


def operator_name(packet: OpOverloadPacket) -> str:
    """Return the name of an operator, without that of PyTorch's own library."""
    return str(packet).removeprefix("aten.").lstrip("_")


@cache
def is_free(packet: OpOverloadPacket) -> bool:
    """Return whether all that an operator does costs nothing by convention."""
    library, _, name = str(packet).rpartition(".")
    if library in _NAMESPACES:
        return True
    if library != "aten":
        return False
    overloads = [getattr(packet, overload) for overload in packet.overloads()]  # type: ignore[no-untyped-call]
    tagged = any(tag in _TAGS for overload in overloads for tag in overload.tags)
    return tagged or _NAMES.fullmatch(name) is not None
