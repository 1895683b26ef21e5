"""Rows as a Parquet file, through pyarrow, which is an extra."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from epsl_opt.core.errors import InputError
from epsl_opt.files.documents import ScheduleDocument


def format_parquet(rows: Sequence[Mapping[str, object]], document: ScheduleDocument) -> bytes:
    """Return rows with the same keys as a Parquet file; its metadata say which schedule they are of.

    Raises
    ------
    InputError
        If pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise InputError("parquet", f'needs pyarrow ({error}); pip install "epsl-opt[parquet]"') from error
    origin = {
        "epsl-opt.instance": document.instance.name,
        "epsl-opt.instance.sha256": document.instance.sha256,
        "epsl-opt.solver": document.solver,
    }
    table = pyarrow.Table.from_pylist([dict(row) for row in rows]).replace_schema_metadata(origin)
    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file)
    return file.getvalue()
