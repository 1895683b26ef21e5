"""The one entry of a checkpoint's metadata: rounds done, what the driver keeps, and a digest of it all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import torch
from torch import Tensor

from epsl_opt.core.defaults import MAX_WHOLE
from epsl_opt.core.errors import InputError
from epsl_opt.core.json_text import parse_json

SOURCE = "checkpoint"
NOTE = "epsl-opt"
"""Name of the entry: several would come in any order, and equal states have equal files."""

_HEADER_BYTES = 8
_FOREIGN = "is not of a training"


def make_note(rounds: int, metadata: str, tensors: Mapping[str, Tensor]) -> dict[str, str]:
    """Return the metadata of a checkpoint."""
    return {NOTE: json.dumps([rounds, metadata, _digest(rounds, metadata, tensors)])}


def read_note(checkpoint: bytes, tensors: Mapping[str, Tensor]) -> tuple[int, str]:
    """Return rounds done and what the driver keeps, from a checkpoint with these tensors.

    A checkpoint without a digest, as older versions wrote it, is taken as it is.

    Raises
    ------
    InputError
        If it is not of a training, or anything in it is not what was written.
    """
    match parse_json(_text(_header(checkpoint)), SOURCE):
        case [int(rounds), str(metadata), *digest] if not isinstance(rounds, bool) and 0 <= rounds <= MAX_WHOLE:
            if digest not in ([], [_digest(rounds, metadata, tensors)]):
                raise InputError(SOURCE, "is damaged: its content is not what was written (SHA-256)")
            return rounds, metadata
    raise InputError(SOURCE, _FOREIGN)


def _header(checkpoint: bytes) -> object:
    length = int.from_bytes(checkpoint[:_HEADER_BYTES], "little")
    return parse_json(checkpoint[_HEADER_BYTES : _HEADER_BYTES + length].decode(), SOURCE)


def _text(header: object) -> str:
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    text = metadata.get(NOTE) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise InputError(SOURCE, _FOREIGN)
    return text


def _digest(rounds: int, metadata: str, tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of the note and of every tensor: name, kind, shape, numbers."""
    found = hashlib.sha256(json.dumps([rounds, metadata]).encode(errors="surrogatepass"))
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        found.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode(errors="surrogatepass"))
        found.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()
