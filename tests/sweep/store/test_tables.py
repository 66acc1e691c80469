"""Files of results with matching checksums and other columns or more rows than their study has."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sweep import Study
from sweep.columns import Column, arrow_schema
from sweep.errors import DamageError
from sweep.schemas.run_columns import curves_columns, runs_columns
from sweep.store.parquet import decode_table, encode_table
from sweep.study.curve_points import most_points
from tests.sweep.support import make_study

STUDY = Study(
    **make_study(count=6, hidden=2, max_steps=40, activation=["relu", "tanh"]).canonical()
    | {"record": {"curves": {"seeds": 3}, "weights": "both"}}
)
CURVES, RUNS = curves_columns(STUDY), runs_columns(STUDY)
VALUES: dict[str, Any] = {"status": "converged", "string": "relu", "bool": True, "list<float64>": [0.5] * 9}


def table(columns: list[Column], n_rows: int, **forged: Any) -> pa.Table:
    """Return a table of equal rows."""
    values = {column.name: VALUES.get(column.type, 0) for column in columns} | forged
    schema = arrow_schema(columns)
    arrays = []
    for name, value in values.items():
        kind, indices = schema.field(name).type, pa.array(np.zeros(n_rows, "i1"))
        known = pa.array([value], kind.value_type if pa.types.is_dictionary(kind) else kind)
        arrays.append(
            pa.DictionaryArray.from_arrays(indices, known) if pa.types.is_dictionary(kind) else known.take(indices)
        )
    return pa.table(arrays, schema=schema)


def decode(content: bytes, columns: list[Column], most_rows: int) -> pa.Table:
    return decode_table(content, columns, "there.parquet", most_rows)


@pytest.mark.parametrize("columns", [CURVES, RUNS], ids=["curves", "runs"])
def test_largest_tables(columns: list[Column]) -> None:
    """The largest possible tables are read, with single columns and with all of them."""
    n_rows = most_points(STUDY) * 1000
    written = table(columns, n_rows)
    content = encode_table(written, columns, {})
    assert decode(content, columns, n_rows).equals(written)
    for column in columns:
        assert decode(content, [column], n_rows).equals(written.select([column.name]))


@pytest.mark.parametrize("columns", [CURVES, RUNS], ids=["curves", "runs"])
def test_more_rows_than_there_can_be(columns: list[Column]) -> None:
    """A file of some kB that holds 300,000 rows is not decoded."""
    content = encode_table(table(columns, 300_000), columns, {})
    assert len(content) < 100_000
    with pytest.raises(DamageError, match=r"'there.parquet' is damaged: it holds more than [\d,]+ rows"):
        decode(content, columns, most_points(STUDY))


@pytest.mark.parametrize(
    ("forged", "fault"),
    [
        ({"activation": "a" * 201}, "its column 'activation' holds a text of more than 200 bytes"),
        ({"status": "a" * 201}, "its column 'status' must hold only converged"),
    ],
)
def test_texts_that_are_too_long(forged: dict[str, Any], fault: str) -> None:
    """Long texts are refused, since each row would hold a copy."""
    with pytest.raises(DamageError, match=fault):
        decode(encode_table(table(CURVES, 10, **forged), CURVES, {}), CURVES, most_points(STUDY))


@pytest.mark.parametrize("name", ["run", "status", "activation", "train_loss", "n_correct"])
@pytest.mark.parametrize(
    "kind", [pa.timestamp("us"), pa.large_string(), pa.int8(), pa.list_(pa.float64()), None], ids=str
)
def test_columns_of_other_types(name: str, kind: pa.DataType | None) -> None:
    """The schema is checked before any column is decoded: other types, missing and repeated columns are refused."""
    written, sink = table(CURVES, 10), io.BytesIO()
    if kind is None:
        for forged in (written.drop_columns([name]), written.append_column(name, written[name])):
            sink = io.BytesIO()
            pq.write_table(forged, sink)
            with pytest.raises(DamageError, match="it must have columns run, cell"):
                decode(sink.getvalue(), CURVES, most_points(STUDY))
        return
    place = written.schema.get_field_index(name)
    pq.write_table(written.set_column(place, name, pa.nulls(10, kind)), sink)
    with pytest.raises(DamageError, match="it must have columns run, cell"):
        decode(sink.getvalue(), CURVES, most_points(STUDY))
