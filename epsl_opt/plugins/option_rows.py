"""The options of a plug-in as rows, read from its pydantic model."""

from __future__ import annotations

from types import UnionType
from typing import TYPE_CHECKING, Annotated, TypedDict, Union, get_args, get_origin

if TYPE_CHECKING:
    from pydantic import BaseModel


class OptionRow(TypedDict):
    """One option, for tables."""

    option: str
    type: str
    default: object
    description: str


COLUMNS = tuple(OptionRow.__annotations__)


def option_rows(kind: type[BaseModel]) -> list[OptionRow]:
    """Return one row per option: name, type, default, description."""
    return [
        {
            "option": name.replace("_", "-"),
            "type": _type_name(field.annotation),
            "default": field.get_default(call_default_factory=True) if not field.is_required() else None,
            "description": field.description or "",
        }
        for name, field in kind.model_fields.items()
    ]


def option_cells(rows: list[OptionRow]) -> list[tuple[str, ...]]:
    """Return the rows as text."""
    return [tuple("" if value is None else str(value) for value in row.values()) for row in rows]


def _type_name(annotation: object) -> str:
    """Return a type as people read it, without the limits of its values."""
    if get_origin(annotation) is Annotated:
        return _type_name(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return " | ".join(map(_type_name, get_args(annotation)))
    name = getattr(annotation, "__name__", None)
    text = name if isinstance(annotation, type) and name else str(annotation)
    return text.replace("typing.", "").replace("NoneType", "None")
