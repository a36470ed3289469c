"""How the readers take votes: named columns only, and no cell but text, numbers, dates and flags."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from annotation.imports.problems import show
from annotation.imports.schema import FLAG_PREFIX, LONGEST_FLAG, OPTIONAL, REQUIRED, flag_name, sort_columns
from annotation.imports.table_file import Columns, Shape


class VoteShape(Shape):
    required = REQUIRED
    always = (*REQUIRED, *OPTIONAL)

    def sort(self, names: Sequence[str]) -> Columns:
        return sort_columns(names)

    def is_read(self, name: str) -> bool:
        return name in REQUIRED or name in OPTIONAL or name.startswith(FLAG_PREFIX)

    def wrong_name(self, name: str) -> str:
        if name.startswith(FLAG_PREFIX) and not 0 < len(flag_name(name)) <= LONGEST_FLAG:
            return f"the member {show(name)} names no category of at most {LONGEST_FLAG} characters"
        return ""

    def read_cell(self, name: str, value: Any) -> str | None:
        if value is None or isinstance(value, str):
            return value
        if name.startswith(FLAG_PREFIX):
            if value is True or value is False or (type(value) is int and value in (0, 1)):
                return str(int(value))
            raise ValueError(f"{name} is {show(value)}, not true or false")
        if type(value) is int or (type(value) is float and name == "strength"):
            return repr(value)
        wanted = "a number" if name == "strength" else "text or a whole number"
        raise ValueError(f"{name} is {show(value)}, not {wanted}")

    def wrong_type(self, name: str, found: pa.DataType) -> str:
        """What is wrong with a column's type, or nothing."""
        if pa.types.is_dictionary(found):
            found = found.value_type
        text = pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_string_view(found)
        whole = pa.types.is_integer(found)
        if text or pa.types.is_null(found):
            return ""
        if name.startswith(FLAG_PREFIX):
            return "" if pa.types.is_boolean(found) or whole else f"{name} holds {found}, not true and false"
        if name == "strength":
            fits = whole or pa.types.is_floating(found) or pa.types.is_decimal(found)
            return "" if fits else f"{name} holds {found}, not numbers"
        if name == "date":
            return "" if pa.types.is_date(found) or pa.types.is_timestamp(found) else f"{name} holds {found}, not dates"
        return "" if whole else f"{name} holds {found}, not text or whole numbers"

    def comparable(self, array: pa.Array) -> pa.Array:
        """Text, float64 or UTC microseconds, whatever of that family the file holds."""
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        if pa.types.is_floating(array.type) or pa.types.is_decimal(array.type):
            return array.cast(pa.float64())
        if pa.types.is_date(array.type):
            return array.cast(pa.timestamp("us")).cast(pa.timestamp("us", tz="UTC"))
        if pa.types.is_timestamp(array.type):
            return array.cast(pa.timestamp("us", tz=array.type.tz or "UTC"), safe=False).cast(
                pa.timestamp("us", tz="UTC")
            )
        if pa.types.is_boolean(array.type):
            return pc.if_else(array, "1", "0")
        return array.cast(pa.string())


VOTE_SHAPE = VoteShape()
