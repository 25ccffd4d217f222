from pathlib import Path

import pytest

from tasks.core.readers import records
from tasks.core.readers.formats import Hints
from tasks.core.readers.read_documents import batches

AS_TEXT = "quotes are read as text; lines that they would lose as marks around fields: {}"
AS_MARKS = "quotes are read as marks around fields, though lines between them look like rows: {}"


def read(path: Path, content: str, **hints: str) -> tuple[list[str | None], list[str], int]:
    """Return the texts, the remarks without their advice, and the number of rejected rows."""
    path.write_text(content, "utf-8", newline="")
    found = list(batches(path, hints=Hints(**hints)))
    said = [remark.partition(" (if")[0] for batch in found for remark in batch.remarks]
    texts = [text for batch in found for text in batch.columns["text"]]
    return texts, said, sum(len(batch.rejected) for batch in found)


@pytest.mark.parametrize("name", ["a.tsv", "a.csv"])
def test_a_quote_in_unquoted_text_swallows_no_line(tmp_path, name):
    content = 'id\ttext\n1\t" a\n2\tb\n3\tc"'
    content = content if name == "a.tsv" else content.replace("\t", ",")
    assert read(tmp_path / name, content) == (['" a', "b", 'c"'], [AS_TEXT.format(3)], 0)


def test_a_late_quote_decides_for_the_whole_file(tmp_path, monkeypatch):
    rows = "".join(f"{n}\tplain {n}\n" for n in range(3_000))
    content = f'id\ttext\n{rows}9001\t" a\n9002\tb\n9003\tc" d\n9004\t"e\n'
    texts, said, rejected = read(tmp_path / "a.tsv", content)
    assert texts[3_000:] == ['" a', "b", 'c" d', '"e']
    assert (len(said), rejected) == (1, 0)
    monkeypatch.setattr(records, "BLOCK_SIZE", 64)
    assert read(tmp_path / "a.tsv", content) == (texts, said, rejected)


def test_sentence_pairs_with_loose_quotes_lose_no_line(tmp_path):
    pairs = ['"Hi," he said\tHe said "hi."\t5', '"Yes."\t"No," she said\t0', 'a "b\tc" d\t1']
    content = "text\tother\tscore\n" + "\n".join(pairs * 40)
    texts, said, rejected = read(tmp_path / "a.tsv", content)
    assert texts == [pair.split("\t")[0] for pair in pairs * 40]
    assert (said, rejected) == ([AS_TEXT.format(80)], 0)


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        ('id,text\n1,"Dear Sir\nthanks, bye"\n2,x\n', ["Dear Sir\nthanks, bye", "x"]),
        ('id\ttext\n1\t"Dear Sir\nthanks\tbye"\n2\tx\n', ["Dear Sir\nthanks\tbye", "x"]),
        ('id,text\n1,"one, two"\n2,"he ""said"" so"\n', ["one, two", 'he "said" so']),
        ('"id","text"\n"1","a"\n"2","b"c"\n', ["a"]),
        ('id,text,n\n1,"a\n\nb",3\n2,c,4\n', ["a\n\nb", "c"]),
    ],
)
def test_quotes_that_a_writer_needed_are_marks(tmp_path, content, texts):
    assert read(tmp_path / "a.csv", content)[:2] == (texts, [])


def test_a_lost_quote_in_a_quoted_file_is_said(tmp_path):
    content = 'id,text\n1,"quoted, well"\n2,"lost\n3,fine\n4,fine"\n5,ok\n'
    assert read(tmp_path / "a.csv", content)[1] == [AS_MARKS.format(3)]


def test_backslashes_before_quotes_are_understood_and_others_stay(tmp_path):
    content = 'id,text\n1,"he said \\"no\\", then"\n2,"C:\\\\dir"\n3,C:\\new\n'
    texts, said, rejected = read(tmp_path / "a.csv", content)
    assert texts == ['he said "no", then', "C:\\dir", "C:\\new"]
    assert (said, rejected) == (["quotes inside fields are read as escaped by a backslash"], 0)


@pytest.mark.parametrize(
    ("quoting", "texts"),
    [("none", ['"a"', '"b\\"c"']), ("quoted", ["a"]), ("escaped", ["a", 'b"c'])],
)
def test_params_decide_where_they_say_so(tmp_path, quoting, texts):
    content = 'id,text\n1,"a"\n2,"b\\"c"\n'
    assert read(tmp_path / "a.csv", content, quoting=quoting)[:2] == (texts, [])


def test_a_file_of_one_column_has_a_text_a_line(tmp_path):
    content = 'text\nhello, world\n"quoted, one"\nsemi; colon\n'
    texts, said, rejected = read(tmp_path / "a.csv", content)
    assert (texts, said, rejected) == (["hello, world", "quoted, one", "semi; colon"], [], 0)
