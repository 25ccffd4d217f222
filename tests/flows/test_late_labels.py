"""Label files that arrive while texts are encoded."""

import json

import flows.embed
from flows import Workspace
from flows.run import run
from tasks.core.workspace.files import read_json
from tasks.core.workspace.paths import Paths
from tests.world import documents, write_csv, write_documents, write_labels

MORE = [
    {**row, "id": f"{row['id']}{again}", "text": f"{row['text']}, {word}"}
    for again, word in enumerate(("today", "again"))
    for row in documents()
]


def run_while(root, monkeypatch, happens):
    """Add two variants of each text, call `happens(k)` after chunk k, and run."""
    write_documents(root, documents() + MORE)
    commit, chunks = flows.embed.commit_shard, iter(range(100))

    def commit_and_more(*args):
        counts = commit(*args)
        happens(next(chunks))
        return counts

    monkeypatch.setattr(flows.embed, "commit_shard", commit_and_more)
    return run(root)


def test_a_label_file_that_arrives_meanwhile_has_its_view_before_the_last_text_is_encoded(
    made, monkeypatch
):
    seen = {}

    def happens(chunk):
        if chunk == 0:
            rows = [{"id": row["id"], "label": row["mood"]} for row in documents()]
            write_csv(made / "data" / "labels" / "channel.csv", rows, ["id", "label"])
        elif "channel" in Workspace(made).views:
            seen[chunk] = len(Workspace(made).view("channel").frame())

    report = run_while(made, monkeypatch, happens)
    assert seen[1] == 72 + 16  # the rows before, and the first chunk of 16
    assert len(Workspace(made).view("channel").frame()) == 72 + len(MORE)
    assert {view.name for view in report.materialise} == {"channel", "mood", "topic"}
    assert [each.refitted for each in report.fit.fitted if each.name == "channel"] == [False]


def test_label_files_that_were_there_wait_for_all_texts(made, monkeypatch):
    write_labels(made, "mood", documents()[:50])
    card = Paths(made).transform("mood") / "transform.json"
    before, cards = read_json(card), []
    run_while(made, monkeypatch, lambda _: cards.append(json.loads(card.read_bytes())))
    assert cards == [before] * len(cards) != []
    assert read_json(card) != before


def test_a_label_file_that_is_no_good_does_not_stop_the_encoding(made, monkeypatch, capfd):
    settings = (made / "params.yaml").read_text()

    def happens(chunk):
        if chunk == 0:
            (made / "data" / "labels" / "broken.csv").write_text("id,label\nt01,x\n")
        (made / "params.yaml").write_text(settings + "\nnonsense: 1\n" * (chunk == 0))

    report = run_while(made, monkeypatch, happens)
    assert "labels that arrived meanwhile: " in capfd.readouterr().err
    assert report.embed.encoded == len(MORE)
    assert "broken" in report.fit.rejected
    assert len(Workspace(made).view("mood").frame()) == 72 + len(MORE)


def test_a_first_embedding_has_nothing_to_fit_on_until_it_is_whole(world, monkeypatch):
    views = []
    run_while(world, monkeypatch, lambda _: views.append(Workspace(world).views))
    assert views == [[]] * len(views) != []
    assert Workspace(world).views == ["mood", "topic"]
