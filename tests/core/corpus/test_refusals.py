"""What leaves the corpus as it was: files that cannot be used, and kills."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.core.store import layout
from tasks.core.workspace.errors import InputError


def test_no_usable_row_is_an_error_and_the_old_corpus_stays(desk):
    desk.put("a.csv", "id,text\n1,a\n2\n")
    desk.build()
    before = layout.state(desk.out), desk.rejects.read_bytes()
    desk.put("a.csv", "id,text\n1,\n2\n")
    with pytest.raises(InputError, match=r"no usable row among 2 in 1 file.*1 empty text\).*check"):
        desk.build()
    assert (layout.state(desk.out), desk.rejects.read_bytes()) == before
    assert sorted(desk.out.parent.iterdir()) == [desk.out, desk.files.known]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,words\n1,a\n", r"a.csv: found no text column among 'id', 'words'"),
        ("id,words\n", r"a.csv: found no text column"),
        ("id,text\n", r"no usable row among 0 in 1 file"),
    ],
)
def test_a_file_without_texts_is_refused_and_nothing_is_written(desk, content, message):
    desk.put("a.csv", content)
    with pytest.raises(InputError, match=message):
        desk.build()
    assert not desk.out.exists()
    assert not desk.rejects.exists()


def test_a_broken_file_leaves_the_old_corpus(desk):
    desk.put("a.csv", "id,text\n1,a\n")
    desk.build()
    before = layout.state(desk.out)
    desk.put("b.parquet", "PAR1 but no more")
    with pytest.raises(InputError, match=r"b.parquet: not readable"):
        desk.build()
    assert layout.state(desk.out) == before


KILLED = """
import os, signal, sys
from pathlib import Path
from tasks.core.corpus import building, difference, known_sources, work
from tasks.core.settings.table_sections import IngestSettings

def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)

work.GROUP_ROWS = 10
setattr(*eval(sys.argv[2]), die)
root = Path(sys.argv[1])
files = work.CorpusFiles(root / "data/corpus/corpus.lance", root / "data/corpus/sources.parquet",
                         root / "data/quarantine/ingest.jsonl")
building.build([root / "raw/a.csv"], root, files, IngestSettings(), contents=["x"], batch_rows=5)
"""


@pytest.mark.parametrize(
    "where", ["(difference, 'commit')", "(difference.stable_rows, 'replace_all')"]
)
def test_killed_halfway_the_old_corpus_stays_and_the_next_run_is_as_if_nothing_was(desk, where):
    desk.put("a.csv", "id,text\n1,old\n")
    desk.build()
    before = layout.state(desk.out)
    desk.put("a.csv", "id,text\n" + "".join(f"{n},text {n}\n" for n in range(100)) + "100,\n")
    command = [sys.executable, "-c", KILLED, str(desk.root), where]
    died = subprocess.run(command, cwd=Path(__file__).parents[2])
    assert died.returncode == -signal.SIGKILL
    assert layout.state(desk.out) == before
    assert desk.build().kept == 100
    assert sorted(desk.out.parent.iterdir()) == [desk.out, desk.files.known]
    assert list(desk.rejects.parent.iterdir()) == [desk.rejects]


def test_a_file_that_stands_alone_is_refused_for_what_others_are_passed_over_for(desk):
    desk.put("empty.csv", "")
    with pytest.raises(InputError, match="found no line"):
        desk.build()
