"""How fields are asked for, so that `annotation.boards.copied` reads them as a dataset's columns."""

import pyarrow as pa
from django.db.models import F, FloatField, Func, TextField
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast


class AsJSON(Func):
    """An array or a JSON value as JSON text; null where it is null."""

    function = "to_json"
    template = "%(function)s(%(expressions)s)::text"
    output_field = TextField()


class InUTC(Func):
    template = "(%(expressions)s AT TIME ZONE 'UTC')"
    output_field = TextField()


def expression(path: str, kind: pa.DataType) -> Combinable:
    """How a field is asked for so that it can be read as `kind`; what is nested is asked for as JSON text."""
    if pa.types.is_timestamp(kind):
        return InUTC(F(path))
    if pa.types.is_nested(kind):
        return AsJSON(F(path))
    return Cast(F(path), FloatField()) if pa.types.is_floating(kind) else F(path)
