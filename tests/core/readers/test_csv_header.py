from pathlib import Path

import pytest

from tasks.core.readers.formats import Hints
from tasks.core.readers.read_documents import batches
from tasks.core.workspace.errors import InputError


def read(path: Path, content: str | bytes, **hints: object) -> dict[str, list[str | None]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    columns: dict[str, list[str | None]] = {}
    for batch in batches(path, hints=Hints(**hints)):  # type: ignore[arg-type]
        assert not batch.rejected
        for name, cells in batch.columns.items():
            columns.setdefault(name, []).extend(cells)
    return columns


TWO = {"id": ["1", "2"], "text": ["a", "b"]}


@pytest.mark.parametrize(
    "content",
    [
        "My export 2024\n\nid,text\n1,a\n2,b\n",
        "My export, of 2024,,\nid,text\n1,a\n2,b\n",
        "# made by x\n# on y, z\nid,text\n1,a\n2,b\n",
        "sep=;\nid;text\n1;a\n2;b\n",
        '"sep=|"\r\nid|text\r\n1|a\r\n2|b\r\n',
        "#id\ttext\n1\ta\n2\tb\n",
        "id,text\r\n1,a\r2,b\n",
        "id,text\n1,a,\n2,b,,\n",
        '"id","text"\n"1","a"\n"2","b"\n',
        "\n\n id , text \n1,a\n2,b\n",
    ],
)
def test_the_header_is_found_below_titles_and_between_odd_ends(tmp_path, content):
    assert read(tmp_path / "a.csv", content) == TWO


def test_a_title_is_passed_over_also_where_no_name_is_usual(tmp_path):
    content = "Export\nkey one,words,x\n1,a,b\n2,b,c\n3,d,e\n"
    assert list(read(tmp_path / "a.csv", content)) == ["key one", "words", "x"]
    (batch,) = batches(tmp_path / "a.csv")
    assert batch.remarks == ["lines above the header that are passed over: 1"]
    assert batch.positions == [3, 4, 5]


def test_rows_may_lack_the_unnamed_columns_at_the_end(tmp_path):
    found = read(tmp_path / "a.csv", "id,text,,\n1,a\n2,b,,\n")
    assert {name: found[name] for name in ("id", "text")} == TWO


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-8"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_a_byte_order_mark_names_the_encoding(tmp_path, encoding, suffix):
    content = "id,text\n1,é\n" if suffix == ".csv" else '{"id":"1","text":"é"}\n'
    path = tmp_path / f"a{suffix}"
    assert read(path, f"\ufeff{content}".encode(encoding)) == {"id": ["1"], "text": ["é"]}


def test_params_name_what_cannot_be_found_out(tmp_path):
    path = tmp_path / "a.csv"
    assert read(path, "id:text\n1:a\n2:b\n", delimiter=":") == TWO
    assert read(path, "a,b\nc,d\nid,text\n1,a\n2,b\n", header=3) == TWO
    assert list(read(path, "1,a\n2,b\n", header=0).values()) == list(TWO.values())
    latin = read(path, "id,text\n1,é\n".encode("cp1252"), encoding="cp1252")
    assert latin == {"id": ["1"], "text": ["é"]}
    with pytest.raises(InputError, match=r"found 2 lines; expected the header on line 9"):
        read(path, "id,text\n1,a\n", header=9)


def test_decimal_commas_part_no_columns(tmp_path):
    found = read(tmp_path / "a.csv", "id;text;price\n1;well, yes;3,50\n2;no;4,00\n")
    assert found["price"] == ["3,50", "4,00"]


def test_a_header_may_hold_line_breaks(tmp_path):
    found = read(tmp_path / "a.csv", 'id,text,"How was it?\n(1 to 5)"\n1,a,2\n')
    assert list(found) == ["id", "text", "How was it?\n(1 to 5)"]


@pytest.mark.parametrize("mark", [",", "\t"])
def test_names_of_rows_that_r_writes_without_a_header_are_a_column(tmp_path, mark):
    lines = ['"id","text"', '"1",17,"a, b"', '"2",18,"c"']
    content = "\n".join(line.replace(",", mark) for line in lines)
    found = read(tmp_path / "a.csv", content)
    assert found["id"] == ["17", "18"]
    assert found["column_1"] == ["1", "2"]
