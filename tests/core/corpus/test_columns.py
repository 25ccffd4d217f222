"""Which columns a corpus has beside id and text, how they are called, and of which type."""

from hypothesis import given
from hypothesis import strategies as st

from tasks.core.documents.metadata import sql_names


def test_metadata_gets_the_type_that_all_its_values_have(desk):
    desk.put(
        "a.csv",
        "text,n,x,ok,code,none,mixed,big\na,1,1,true,007,,1,1234567890123456789\n"
        "b,-20,-2.5e3,False,8,,x,1\nc,,,,,,,\n",
    )
    report = desk.build()
    assert report.columns == {
        "n": "integer",
        "x": "number",
        "ok": "boolean",
        "code": "string",
        "none": "string",
        "mixed": "string",
        "big": "string",
    }
    assert desk.frame["n"].to_list() == [1, -20, None]
    assert desk.frame["x"].to_list() == [1.0, -2500.0, None]
    assert desk.frame["ok"].to_list() == [True, False, None]
    assert desk.frame["code"].to_list() == ["007", "8", None]
    assert desk.frame["none"].to_list() == [None] * 3


def test_sources_with_other_columns_are_united(desk):
    desk.put("a.csv", "text,n\na,1\n")
    desk.put("b.jsonl", '{"body": "b", "n": 2.5, "tags": ["x"], "ok": true}\n')
    desk.put("c.txt", "c")
    report = desk.build()
    assert report.columns == {"n": "number", "tags": "string", "ok": "boolean"}
    assert desk.frame.select("text", "n", "tags", "ok").rows() == [
        ("a", 1.0, None, None),
        ("b", 2.5, '["x"]', True),
        ("c", None, None, None),
    ]


def test_only_the_configured_metadata_is_kept(desk):
    desk.put("a.csv", "id,text,n,topic\n1,a,1,x\n")
    assert desk.build(metadata=["topic"]).columns == {"topic": "string"}
    assert desk.build(metadata=[]).columns == {}


def test_configured_columns_are_used(desk):
    desk.put("a.csv", "id,text,code,words\n1,a,A1,hello\n")
    desk.build(id="code", text="words")
    assert desk.frame.select("id", "text").rows() == [("A1", "hello")]


def test_names_that_sql_cannot_say_or_that_are_taken_are_changed_and_reported(desk):
    desk.put("a.csv", "text,Order No.,score,_x,Vector,2nd,Order_No,größe,!\na,1,2,3,4,5,6,7,8\n")
    report = desk.build()
    assert report.renamed == {
        "Order No.": "Order_No_2",
        "score": "meta_score",
        "_x": "meta__x",
        "Vector": "meta_Vector",
        "2nd": "meta_2nd",
        "größe": "gro_e",
        "!": "column",
    }
    assert desk.frame["Order_No"].to_list() == [6]
    assert desk.frame["Order_No_2"].to_list() == [1]


@given(st.lists(st.text(max_size=8), max_size=12, unique=True))
def test_given_names_are_distinct_plain_identifiers(names):
    given_names = list(sql_names(names).values())
    assert len({name.lower() for name in given_names}) == len(names)
    assert all(name.isascii() and name.isidentifier() for name in given_names)
    assert sql_names(given_names) == {name: name for name in given_names}


def test_folders_of_partitions_become_columns_unless_the_file_has_them(desk):
    for lang in ("de", "en"):
        (desk.root / "raw" / f"lang={lang}" / "year=2024").mkdir(parents=True)
    desk.put("lang=de/year=2024/a.csv", "id,text\n1,hallo\n")
    desk.put("lang=en/year=2024/a.csv", "id,text,lang\n2,hello,own\n")
    report = desk.build()
    assert report.columns == {"lang": "string", "year": "integer"}
    assert desk.frame.select("lang", "year").rows() == [("de", 2024), ("own", 2024)]
    assert desk.build(metadata=["lang"]).columns == {"lang": "string"}


def test_files_of_many_columns_share_one_limit(desk):
    for file in range(3):
        names = ",".join(f"c{file}x{number}" for number in range(150))
        desk.put(f"{file}.csv", f"id,text,{names}\n{file},a{',1' * 150}\n")
    report = desk.build()
    assert (report.kept, len(report.columns)) == (3, 256)
    assert report.remarks[0].startswith("450 columns: the first 256 are read")
