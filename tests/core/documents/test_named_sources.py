"""Which files a folder, a glob or a name gives, and in which order."""

from pathlib import Path

import pytest

from tasks.core.documents.sources import expand
from tasks.core.workspace.errors import InputError
from tests.core.readers.written import put


def test_a_folder_gives_its_files_sorted_and_without_hidden_ones(tmp_path):
    for name in ("b.csv", "a/z.jsonl", "a/y.txt.gz", ".hidden.csv", ".git/x.csv", "b.csv.dvc"):
        put(tmp_path / "raw" / name, "x")
    files = [path.relative_to(tmp_path / "raw").as_posix() for path in expand(["raw"], tmp_path)]
    assert files == ["a/y.txt.gz", "a/z.jsonl", "b.csv"]


def test_sources_keep_their_order_and_each_file_comes_once(tmp_path):
    for name in ("b.csv", "a.csv"):
        put(tmp_path / name, "x")
    files = expand(["b.csv", "*.csv", str(tmp_path / "a.csv")], tmp_path)
    assert [path.name for path in files] == ["b.csv", "a.csv"]


@pytest.mark.parametrize(
    "pattern", ["raw/**/*.csv", "raw/*/?.csv", "other/../raw/sub/[ab].csv", "r*/**"]
)
def test_globs_are_relative_to_the_root_or_absolute(tmp_path, pattern):
    put(tmp_path / "raw/sub/a.csv", "x")
    (tmp_path / "other").mkdir()
    assert len(expand([pattern], tmp_path)) == 1
    assert len(expand([str(tmp_path / pattern)], Path("/"))) == 1


def test_a_name_with_brackets_is_a_file_if_it_exists(tmp_path):
    path = put(tmp_path / "a[1].csv", "x")
    assert expand(["a[1].csv"], tmp_path) == [path]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("no.csv", "no.csv: found no such file or folder; expected documents; correct the path"),
        ("empty", "empty: found an empty folder; expected documents in it"),
        ("*.jsonl", "found no file that matches; expected at least one; correct the pattern"),
        ("raw/a**", r"raw/a\*\*: found a pattern that is none .*; correct it"),
        ("a.pdf", r"1 of 1 files of another format \(a.pdf\); expected .csv, .tsv, .*convert"),
        ("mixed", r"4 of 4 files of another format \(a.docx, b.xls, c.parquet.gz and 1 more\)"),
    ],
)
def test_sources_that_are_none_are_named_with_the_way_on(tmp_path, source, message):
    (tmp_path / "empty").mkdir()
    put(tmp_path / "a.pdf", "x")
    for name in ("a.docx", "b.xls", "c.parquet.gz", "d"):
        put(tmp_path / "mixed" / name, "x")
    with pytest.raises(InputError, match=message):
        expand([source], tmp_path)


def test_no_source_at_all_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"found no source .* params.yaml: ingest.sources"):
        expand([], tmp_path)
