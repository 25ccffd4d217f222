"""SIGKILL at any moment: running it again ends like a run that was never killed."""

from __future__ import annotations

import os
import shutil
import signal
import time

import polars as pl
import pytest
from prefect.settings import PREFECT_API_URL

from flows import Workspace
from flows.embed import embed
from flows.fit import fit
from flows.ingest import ingest
from flows.materialise import materialise
from flows.run import run
from tasks.core.store import tables
from tasks.core.workspace.paths import Paths
from tests.children import Child, refract
from tests.kills import kill_at
from tests.same import assert_same, rows
from tests.world import documents, make_world, set_params, write_documents, write_labels

pytestmark = pytest.mark.server


def alternate(root, labels, other):
    """Fit and materialise by other labels, then by those of before."""
    file = root / "data" / "labels" / labels
    for content in (other, file.read_text()):
        file.write_text(content)
        fit(root)
        materialise(root)


def doomed(root, target, nth, when, rebuild):
    """Run until the `nth` call of `target`, which does not survive it."""
    kill_at(target, nth, when)
    if rebuild:
        embed(root, rebuild=True)
    run(root)


VERBS = ("ingest", "embed", "fit", "materialise")


def killed(root, target, nth=1, when="before", rebuild=False):
    """Run in a child that ends itself at that moment."""
    child = Child(PREFECT_API_URL.value(), root, None, doomed, root, target, nth, when, rebuild)
    assert child.wait() == -signal.SIGKILL, f"{target} was never reached"


@pytest.fixture(scope="module")
def steps(tmp_path_factory, tiny_model):
    """One uninterrupted run: the workspace as it is before each verb, and `done`."""
    folder = tmp_path_factory.mktemp("steps")
    root = make_world(folder / "world", str(tiny_model), method="auto")
    set_params(root, materialise={"chunk": 16})
    for verb, flow in zip(VERBS, (ingest, embed, fit, run), strict=True):
        shutil.copytree(root, folder / verb)
        flow(root)
    return {verb: folder / verb for verb in VERBS} | {"done": root}


def copy(root, tmp_path):
    return shutil.copytree(root, tmp_path / "world")


@pytest.mark.parametrize(
    ("verb", "target", "nth", "when"),
    [
        ("ingest", "tasks.core.documents.staging.Intake._write_part", 1, "after"),
        ("ingest", "tasks.core.workspace.files.os.fsync", 2, "before"),
        ("embed", "tasks.core.store.checkpoints.save", 1, "before"),
        ("embed", "tasks.core.encoding.base_table.commit_shard", 1, "before"),
        ("embed", "tasks.core.encoding.base_table.commit_shard", 3, "before"),
        ("fit", "tasks.core.workspace.exchange.write_manifest", 1, "before"),
        ("fit", "tasks.fit.complete", 1, "after"),
        ("materialise", "tasks.core.store.checkpoints.save", 3, "after"),
        ("materialise", "tasks.core.store.tables.publish", 1, "before"),
    ],
)
def test_a_killed_first_run_continues_to_the_same_end(steps, tmp_path, verb, target, nth, when):
    root = copy(steps[verb], tmp_path)
    killed(root, target, nth, when)
    run(root)
    assert_same(root, steps["done"])


def other_rows():
    """Return documents of which one changed, one is gone and two are new."""
    changed, _, *rest = documents()
    new = [{**changed, "id": f"n{n}", "text": f"the parcel is lovely {n}"} for n in range(2)]
    return [{**changed, "text": "you are lovely and a delight"}, *rest, *new]


def more_rows():
    """Return documents with two new ones; the labelled texts, so the transforms, stay the same."""
    first, *rest = documents()
    new = [{**first, "id": f"n{n}", "text": f"the parcel is lovely {n}"} for n in range(2)]
    return [{**first, "channel": "letter"}, *rest, *new]


def other_types():
    """Return documents whose column `stars` is no longer all numbers."""
    first, *rest = documents()
    return [{**first, "stars": "five"}, *rest]


@pytest.fixture(scope="module")
def updated(steps, tmp_path_factory):
    """Uninterrupted runs after the documents changed."""
    folder = tmp_path_factory.mktemp("updated")
    roots = {}
    for change in (other_rows, more_rows, other_types):
        roots[change] = shutil.copytree(steps["done"], folder / change.__name__)
        write_documents(roots[change], change())
        run(roots[change])
    return roots


@pytest.mark.parametrize(
    ("change", "target", "nth", "when"),
    [
        (other_rows, "lance.LanceDataset.commit", 1, "before"),
        (other_rows, "tasks.core.encoding.base_table.retire_gone", 1, "before"),
        (more_rows, "tasks.core.store.tables.publish", 1, "before"),
        (other_types, "lance.LanceDataset.add_columns", 1, "before"),
    ],
)
def test_a_killed_update_continues_to_the_same_end(
    steps, updated, tmp_path, change, target, nth, when
):
    root = copy(steps["done"], tmp_path)
    write_documents(root, change())
    killed(root, target, nth, when)
    run(root)
    assert_same(root, updated[change])


def test_documents_that_change_after_a_kill_are_what_the_next_run_encodes(steps, tmp_path):
    root = copy(steps["embed"], tmp_path)
    killed(root, "tasks.core.encoding.base_table.commit_shard", 2)
    texts = [{**row, "text": f"again: {row['text']}"} for row in documents()]
    write_documents(root, texts)
    run(root)
    assert rows(root, "base")["text"].to_list() == [row["text"] for row in texts]


@pytest.mark.parametrize("nth", [1, 3])
def test_a_killed_rebuild_continues_as_a_rebuild(steps, tmp_path, nth):
    root = copy(steps["done"], tmp_path)
    set_params(root, embed={"storage": "float32"})
    killed(root, "tasks.core.encoding.base_table.commit_shard", nth, rebuild=True)
    report = embed(root, rebuild=True)
    assert report.written == 72 - 16 * (nth - 1)
    assert rows(root, "base")["vector"].dtype == pl.Array(pl.Float32, 48)
    run(root)
    assert_same(root, steps["done"])


def test_labels_put_back_after_a_kill_leave_no_row_of_the_other_transform(steps, updated, tmp_path):
    root = copy(steps["done"], tmp_path)
    file = root / "data" / "labels" / "mood.csv"
    old = file.read_text()
    write_labels(root, "mood", documents()[:50])
    killed(root, "tasks.core.store.tables.publish")
    file.write_text(old)
    write_documents(root, more_rows())
    run(root)
    assert_same(root, updated[more_rows])


def test_a_reader_meets_the_old_view_or_the_new_one_and_never_a_mixture(steps, tmp_path):
    root = copy(steps["done"], tmp_path)
    view, query = Workspace(root).view("mood"), "thank you, the parcel is late"
    old = view.hits(query, k=72)
    other = copy(root, tmp_path / "other")
    changed = write_labels(other, "mood", documents()[:50])
    run(other)
    new = Workspace(other).view("mood").hits(query, k=72)
    assert old != new
    url, other = PREFECT_API_URL.value(), changed.read_text()
    child = Child(url, root, None, alternate, root, "mood.csv", other)
    seen, version = [old], tables.live_version(Paths(root).view_table("mood"))
    while tables.live_version(Paths(root).view_table("mood")) < version + 2:
        time.sleep(0.02)
        found = view.hits(query, k=72)
        assert found in (old, new)
        if found != seen[-1]:
            seen.append(found)
    assert child.wait() == 0
    assert view.hits(query, k=72) == old
    assert seen[:2] == [old, new]


def test_the_command_line_killed_and_repeated_shows_on_the_users_server(steps, tmp_path):
    from prefect.client.orchestration import get_client

    server = PREFECT_API_URL.value()
    root = copy(steps["ingest"], tmp_path)
    begun = time.time()
    command = Child(server, root, None, refract, "run")
    while not any(root.glob(".refract/shards/embed/*.json")):
        assert command.poll() is None, "it ended before its first shard"
        time.sleep(0.005)
    os.killpg(command.pid, signal.SIGKILL)
    assert command.wait() == -signal.SIGKILL
    assert Child(server, root, None, refract, "run").wait() == 0
    assert_same(root, steps["done"])
    assert not (root / ".refract" / "prefect").exists()
    with get_client(sync_client=True) as client:
        since = [item for item in client.read_flow_runs() if item.created.timestamp() > begun]
        assert {"run", *VERBS} == {item.name for item in since}
        kinds = {item.key for item in client.read_artifacts()}
        assert set(VERBS) <= kinds
