"""Measured devices as clients: the files that `epsl-opt profile --measure --client-output` writes."""

from __future__ import annotations

from epsl_opt.core.errors import InputError
from epsl_opt.core.instance import Client
from epsl_opt.core.json_record import parse_fields
from epsl_opt.core.json_text import read_json


def read_clients(path: str) -> tuple[Client, ...]:
    """Read one client, or a list of clients, in the form they have in an instance file.

    Raises
    ------
    InputError
        Naming the file and the field, if anything is wrong.
    """
    data = read_json(path)
    if not isinstance(data, list):
        return (parse_fields(Client, data, path),)
    return tuple(parse_fields(Client, entry, f"{path} [{i}]") for i, entry in enumerate(data))


def with_measured(drawn: tuple[Client, ...], path: str) -> tuple[Client, ...]:
    """Put the clients of a file in the places of the first that were drawn; where those stand stays as drawn.

    Raises
    ------
    InputError
        If the file is wrong, or has more clients than there are.
    """
    found = read_clients(path)
    if len(found) > len(drawn):
        raise InputError(path, f"has {len(found)} clients, but the scenario only {len(drawn)}")
    places = ({"distance_m": old.distance_m, "line_of_sight": old.line_of_sight} for old in drawn)
    placed = (client.model_copy(update=place) for client, place in zip(found, places, strict=False))
    return (*placed, *drawn[len(found) :])
