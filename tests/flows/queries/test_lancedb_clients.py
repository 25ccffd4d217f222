"""Views as LanceDB's own clients see them: asked by text, at any version, and where they lie."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from flows import Workspace
from flows.run import run
from tasks.core.store import tables
from tasks.core.views import publishing
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.lancedb_client import ASK, BY_COSINE, OPEN, ROOT, answer, client, found, last_line
from tests.world import documents, set_params, write_labels

QUERIES = ["thank you so much", "this is outrageous", "where is my parcel", "i am so happy"]


def test_a_lazy_view_is_refused_in_one_line(made):
    set_params(made, materialise={"mode": "lazy"})
    run(made)
    said = last_line(client(ASK, Paths(made).views, QUERIES[0]))
    assert "found a lazy view, whose table holds no row" in said


def test_a_text_finds_what_refract_search_finds(made):
    wanted = [found(made, query) for query in QUERIES]
    assert answer(BY_COSINE, Paths(made).views, *QUERIES) == wanted
    by_default = answer(ASK, Paths(made).views, *QUERIES)  # L2: unit vectors, but for rounding
    assert [ids[0] for ids in by_default] == [ids[0] for ids in wanted]


def test_an_asynchronous_client_finds_the_same(made):
    script = """
import asyncio, json, sys, lancedb
import refract.lancedb
async def ids(folder, name, query):
    table = await (await lancedb.connect_async(folder)).open_table(name)
    return [row["id"] for row in await (await table.search(query)).limit(5).to_list()]
print(json.dumps(asyncio.run(ids(*sys.argv[1:]))))
"""
    assert answer(script, Paths(made).views, QUERIES[0]) == found(made, QUERIES[0])


def test_a_client_without_refract_is_told_its_name_and_may_ask_by_vectors(made):
    without = OPEN.replace("import refract.lancedb", "")
    done = client(without + "ids(words[0])", Paths(made).views, "thanks")
    assert last_line(done) == "KeyError: 'refract'"
    row = Workspace(made).view("mood").frame().row(3, named=True)
    by_vector = without + "print(json.dumps(ids(json.loads(words[0]))))"
    assert row["id"] in answer(by_vector, Paths(made).views, json.dumps(row["vector"]))


def test_a_table_names_no_folder_of_this_machine(made):
    metadata = tables.open_table(Paths(made).view_table("mood"), "live").schema.metadata
    assert json.loads(metadata[b"embedding_functions"])[0]["name"] == "refract"
    assert str(made).encode() not in b"".join(metadata.values())


def test_a_table_that_was_copied_elsewhere_is_refused_in_one_line(made, tmp_path):
    shutil.copytree(Paths(made).view_table("mood"), tmp_path / "copies" / "mood.lance")
    said = last_line(client(ASK, tmp_path / "copies", "thanks"))
    assert f"{tmp_path}/copies/mood.lance: found no workspace around this table" in said


def test_a_table_that_was_copied_into_another_workspace_is_refused(made, tmp_path):
    other = shutil.copytree(made, tmp_path / "other")
    shutil.rmtree(Paths(other).view_table("mood"))
    shutil.copytree(Paths(made).view_table("topic"), Paths(other).view_table("mood"))
    said = last_line(client(ASK, Paths(other).views, "thanks"))
    assert "found no such file, expected a fitted transform" in said


def test_a_workspace_from_elsewhere_loads_no_model_before_its_user_agrees(made, tmp_path):
    stranger = {"REFRACT_TRUST": "", "XDG_STATE_HOME": str(tmp_path / "nothing")}
    said = last_line(client(ASK, Paths(made).views, "thanks", **stranger))
    assert "embed.model loads" in said
    assert "expected that you agree" in said


def test_blank_words_are_refused_in_one_line(made):
    said = last_line(client(ASK, Paths(made).views, "  "))
    assert said.endswith("the text is blank; expected some words to look for")


def test_a_table_that_stays_open_follows_a_refit_when_it_is_checked_out(made):
    script = (
        OPEN
        + """
for line in sys.stdin:
    if line.strip() == "latest":
        table.checkout_latest()
    print(json.dumps(ids(words[0])), flush=True)
"""
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-P", "-c", script, str(Paths(made).views), "mood", QUERIES[0]]
    with subprocess.Popen(
        command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def ask(word):
            process.stdin.write(word + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        before = ask("as it is")
        assert before == found(made, QUERIES[0])
        write_labels(made, "mood", [row | {"mood": row["topic"]} for row in documents()])
        run(made)
        assert ask("as it is") == before
        after = ask("latest")
        process.stdin.close()
    assert after == found(made, QUERIES[0])
    assert after != before


def test_the_newest_version_is_a_whole_view_at_any_time_and_live_is_the_one_before(
    made, monkeypatch
):
    before = found(made, QUERIES[0])
    write_labels(made, "mood", [row | {"mood": row["topic"]} for row in documents()])

    def killed(table, version):
        raise InputError("stopped before it was live")

    with monkeypatch.context() as patch:
        patch.setattr(publishing.tables, "publish", killed)
        with pytest.raises(Exception, match="stopped before it was live"):
            run(made)
    live = OPEN + "table.checkout('live')\nprint(json.dumps(ids(words[0])))"
    assert answer(live, Paths(made).views, QUERIES[0]) == before
    (newest,) = answer(ASK, Paths(made).views, QUERIES[0])
    run(made)
    assert newest == found(made, QUERIES[0])
    assert newest != before
