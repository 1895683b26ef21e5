"""An instance with fewer places to cut, as users ask for it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import Instance


def limit_cuts(instance: Instance, cut_layers: Sequence[str] | None, min_cut_layer: str | None) -> Instance:
    """Return the instance with these cut layers only, and none before `min_cut_layer`; None limits nothing.

    Raises
    ------
    InputError
        If it has no such cut layer.
    """
    try:
        limited = instance.with_cut_layers(cut_layers) if cut_layers else instance
        return limited if min_cut_layer is None else limited.with_training(min_cut_layer=min_cut_layer)
    except ValidationError as error:
        raise InputError.from_validation(f"instance {instance.name}", error) from error
