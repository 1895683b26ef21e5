"""Enumerations as fields of validated records: read and written as their values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema


@dataclass(frozen=True)
class ByValue:
    """Take a member of `kind` or its value, and write the value; the JSON Schema has an `enum` or else a `pattern`."""

    kind: type[StrEnum]
    listed: bool = False

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(lambda member: member.value)
        return core_schema.enum_schema(self.kind, list(self.kind), sub_type="str", strict=False, serialization=written)

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        values = [member.value for member in self.kind]
        return {"type": "string"} | ({"enum": values} if self.listed else {"pattern": f"^({'|'.join(values)})$"})
