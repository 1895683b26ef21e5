"""Read-only float arrays as fields of validated records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]
BoolArray = NDArray[np.bool_]
Scalar = TypeVar("Scalar", bound=np.generic)


def frozen(array: NDArray[Scalar]) -> NDArray[Scalar]:
    """Return a copy of `array` that nobody can make writable again; `array` itself if it is one."""
    if isinstance(array.base, bytes) or array.size == 0:
        array.setflags(write=False)
        return array
    return np.ndarray(array.shape, dtype=array.dtype, buffer=array.tobytes())


@dataclass(frozen=True)
class ArrayField:
    """Validate nested lists of finite numbers, at least `minimum`, into a read-only array of `ndim` dimensions."""

    ndim: int
    exclusive: bool = False

    def validate(self, value: object) -> FloatArray:
        """Return a read-only copy of `value` as float64; raise naming the offending entry."""
        array = self._to_array(value)
        below = array <= 0 if self.exclusive else array < 0
        self._refuse(~np.isfinite(array), "must be finite", array)
        self._refuse(below, "must be greater than 0" if self.exclusive else "must not be negative", array)
        return frozen(array)

    def _to_array(self, value: object) -> FloatArray:
        try:
            raw = np.asarray(value)
        except ValueError:
            raise PydanticCustomError("array", "rows have different lengths") from None
        if raw.size == 0:
            raise PydanticCustomError("array", "must not be empty")
        if raw.dtype.kind not in "iuf":
            raise PydanticCustomError("array", "must hold numbers only")
        if raw.ndim != self.ndim:
            shape = "a list of numbers" if self.ndim == 1 else "a list of rows of numbers"
            raise PydanticCustomError("array", "must be {shape}", {"shape": shape})
        if raw.dtype.kind != "f" or isinstance(value, list | tuple):
            _refuse_booleans(value)
        return raw.astype(np.float64, copy=False)

    def _refuse(self, wrong: BoolArray, rule: str, array: FloatArray) -> None:
        if not wrong.any():
            return
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        entry = "".join(f"[{i}]" for i in index)
        raise PydanticCustomError(
            "array", "entry {entry} {rule}, got {value}", {"entry": entry, "rule": rule, "value": f"{array[index]}"}
        )

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.validate,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda array: array.tolist()),
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        bound = "exclusiveMinimum" if self.exclusive else "minimum"
        node: JsonSchemaValue = {"type": "number", bound: 0}
        for _ in range(self.ndim):
            node = {"type": "array", "items": node, "minItems": 1}
        return node


def _refuse_booleans(value: object) -> None:
    """Numpy takes `True` for 1; a file that says `true` where a number belongs is wrong."""
    rows = value if isinstance(value, list | tuple) else []
    for row in rows:
        entries = row if isinstance(row, list | tuple) else (row,)
        if any(isinstance(entry, bool) for entry in entries):
            raise PydanticCustomError("array", "must hold numbers only")


PositiveVector = Annotated[FloatArray, ArrayField(1, exclusive=True)]
NonNegativeVector = Annotated[FloatArray, ArrayField(1)]
NonNegativeMatrix = Annotated[FloatArray, ArrayField(2)]
