"""Files of data: rows of text, whatever wrote them, and what is no such file is told."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bringing import Bad, refused

from nightbench.data import read_rows
from nightbench.errors import ConfigurationError

pytestmark = pytest.mark.usefixtures("in_a_folder")


def test_a_csv_file_is_read_as_a_spreadsheet_writes_it(tmp_path):
    (tmp_path / "it.csv").write_bytes(b'\xef\xbb\xbfq,"a, b"\r\n"line\none, ""x""",\r\n\r\nf\xc3\xbcnf,5\r\n')
    assert read_rows("it.csv", "data") == ({"q": 'line\none, "x"', "a, b": ""}, {"q": "fünf", "a, b": "5"})


def test_a_parquet_file_is_read_as_text(tmp_path):
    columns = {
        "text": ["a", None],
        "number": [1, 22],
        "share": [0.5, 1.25],
        "yes": [True, False],
        "kind": pa.array(["x", "y"]).dictionary_encode(),
    }
    pq.write_table(pa.table(columns), "it.parquet")
    assert read_rows("it.parquet", "data") == (
        {"text": "a", "number": "1", "share": "0.5", "yes": "true", "kind": "x"},
        {"text": "", "number": "22", "share": "1.25", "yes": "false", "kind": "y"},
    )


def data(name, content, *says):
    return Bad({"data": name}, [f"data = '{name}'", *says], {name: content})


BAD = {
    "data that does not exist": Bad({"data": "no.csv"}, ["data = 'no.csv'", "cannot be read: no such file"]),
    "data in a folder": Bad({"data": "."}, ["data = '.'", ".csv nor .parquet"]),
    "data of another kind": data("it.xlsx", b"x", "is neither .csv nor .parquet"),
    "data in a home that is none": Bad({"data": "~nosuchuser/x.csv"}, ["data = ", "home directory"]),
    "CSV that is empty": data("it.csv", b"", "has no row"),
    "CSV without rows": data("it.csv", b"a,b\n", "has no row", "a header line"),
    "CSV with a short row": data("it.csv", b"a,b\n1,2\n3\n", "line 3 has 1 values for 2 columns"),
    "CSV with a long row": data("it.csv", b"a\n1,2\n", "line 2 has 2 values for 1 columns", '"quotes"'),
    "CSV torn inside of quotes": data("it.csv", b'a,b\n1,"2\n', "is no CSV", "unexpected end of data"),
    "CSV with two columns of a name": data("it.csv", b"a,b,a\n1,2,3\n", "has two columns 'a'"),
    "CSV with a column without a name": data("it.csv", b"a,\n1,2\n", "a column without a name"),
    "CSV of another encoding": data("it.csv", b"a\n\xff\xfe\n", "is not UTF-8"),
    "CSV with an endless value": data("it.csv", b"a\n" + b"x" * 200_000, "line 2 is no CSV", "field limit"),
    "data that is a pipe": Bad({"data": "pipe.csv"}, ["data = 'pipe.csv'", "it is a pipe and not a file"]),
    "data that is a device": Bad(
        {"data": "zero.csv"}, ["data = 'zero.csv'", "it is a device and not a file"]
    ),
    "data that is too large": Bad({"data": "large.csv"}, ["data = 'large.csv'", "is larger than 256 MiB"]),
    "Parquet that is empty": data("it.parquet", b"", "is no Parquet file, or a torn one"),
    "Parquet that is torn": data("it.parquet", b"PAR1" + b"x" * 50, "is no Parquet file, or a torn one"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_data_is_told_before_any_load(case):
    refused(BAD[case])


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"a": [[1], [2]]}, "column a is list"),
        ({"a": [b"\xff"]}, "column a is binary"),
        ({"a": pa.array([], pa.string())}, "has no row"),
    ],
)
def test_parquet_that_is_no_rows_of_text_is_told(columns, problem):
    pq.write_table(pa.table(columns), "it.parquet")
    with pytest.raises(ConfigurationError, match=problem):
        read_rows("it.parquet", "data")


def test_data_of_too_many_values_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("nightbench.data.MOST_VALUES", 5)
    (tmp_path / "it.csv").write_text("a,b\n1,2\n3,4\n5,6\n")
    pq.write_table(pa.table({"a": [1, 2, 3], "b": [1, 2, 3]}), "it.parquet")
    for name in ("it.csv", "it.parquet"):
        with pytest.raises(ConfigurationError, match=rf"data = '{name}': has more than 5 values"):
            read_rows(name, "data")


def test_a_small_parquet_file_that_holds_much_is_refused(monkeypatch):
    monkeypatch.setattr("nightbench.data.MOST_BYTES", 2**20)
    pq.write_table(pa.table({"a": ["x" * 2**22]}), "it.parquet", compression="zstd", use_dictionary=False)
    assert Path("it.parquet").stat().st_size < 2**20
    with pytest.raises(ConfigurationError, match=r"data = 'it.parquet': holds more than 1 MiB"):
        read_rows("it.parquet", "data")
