"""Views that hold the texts, as LanceDB's own clients find them: by meaning, by words, by both."""

import json
import shutil

import pytest

from flows import Workspace
from flows.run import run
from flows.state.staleness import view_verdict
from tasks.core.settings.params import load_params
from tasks.core.workspace.paths import Paths
from tests.lancedb_client import OPEN, answer, client, found, last_line
from tests.world import documents, make_world, set_params, write_documents

HYBRID = """
rows = table.search(words[0], query_type="hybrid").limit(5).to_list()
print(json.dumps([[row["id"], row["text"], row["label"]] for row in rows]))
"""


@pytest.fixture(scope="session")
def _told(once, tiny_model):
    def make(at):
        root = make_world(at / "world", str(tiny_model))
        set_params(root, materialise={"text": True})
        ordered = documents()[-1] | {"text": "late, order AB-1234"}
        write_documents(root, [*documents()[:-1], ordered])
        run(root)

    return once("told", make) / "world"


@pytest.fixture
def told(_told, tmp_path):
    """A workspace whose views hold the texts, one of which names an order."""
    return shutil.copytree(_told, tmp_path / "told")


def opened(root):
    import lancedb  # takes seconds

    return lancedb.connect(Paths(root).views).open_table("mood")


def by_words(root, words):
    rows = opened(root).search(words, query_type="fts").limit(5).to_list()
    return [row["id"] for row in rows]


def test_a_hybrid_question_finds_what_means_the_same_and_what_has_the_words(told):
    rows = answer(OPEN + HYBRID, Paths(told).views, "order AB-1234")
    text = Workspace(told).view("mood").frame().filter(id=documents()[-1]["id"])["text"][0]
    assert [documents()[-1]["id"], text] in [row[:2] for row in rows[:2]]
    assert len(rows) == 5
    assert {label for _, _, label in rows} <= {"angry", "glad"}


def test_words_are_found_as_they_are_written_in_any_language(told):
    texts = ["Ich warte noch darauf", "déjà vu", "the parcels", "AB-12 is not AB-1234"]
    rows = documents()
    write_documents(told, [row | {"text": text} for row, text in zip(rows, texts, strict=False)])
    run(told)
    ids = [row["id"] for row in rows]
    assert by_words(told, "darauf") == [ids[0]]
    assert by_words(told, "deja") == [ids[1]]
    assert by_words(told, "the") == [ids[2]]
    assert by_words(told, "parcel") == []
    assert by_words(told, "12") == [ids[3]]


def test_the_index_of_words_follows_a_change(told):
    before = opened(told).version
    rows = documents()
    gone, new = rows.pop(7)["id"], rows[3]["id"]
    rows[3]["text"] = "the invoice is missing"
    write_documents(told, rows)
    run(told)
    assert opened(told).version > before
    assert by_words(told, "invoice") == [new]
    assert by_words(told, "1234") == []
    assert gone not in by_words(told, "parcel late again")
    (index,) = [one for one in opened(told).list_indices() if one.columns == ["text"]]
    assert index.num_unindexed_rows == 0


def test_a_refit_makes_the_index_of_words_anew(told):
    set_params(told, fit={"method": "discriminant"})
    run(told)
    assert by_words(told, "1234") == [documents()[-1]["id"]]


def test_a_view_loses_its_texts_where_they_are_not_wanted_any_more(told):
    set_params(told, materialise={"text": False})
    verdict = view_verdict(Paths(told), load_params(Paths(told).params), "mood")
    assert (verdict.stale, verdict.reason) == (True, "no texts in it")
    run(told)
    assert "text" not in opened(told).schema.names
    assert opened(told).list_indices() == []


def test_what_refract_finds_and_exports_is_the_same_with_and_without_texts(made):
    view = Workspace(made).view("mood")
    rows, ids = view.frame().sort("id"), found(made, "thank you so much")
    set_params(made, materialise={"text": True})
    run(made)
    assert Workspace(made).view("mood").frame().sort("id").equals(rows)
    assert found(made, "thank you so much") == ids


def test_rows_of_others_are_refused(told):
    script = OPEN + "table.add([{'id': 'mine', 'text': 'a text'}])"
    done = client(script, Paths(told).views)
    assert "this table is a view of a corpus: found rows to be added by LanceDB" in done.stderr
    assert last_line(done)
    assert "mine" not in json.dumps(Workspace(told).view("mood").frame()["id"].to_list())
