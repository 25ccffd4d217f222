"""What a store says to readers: names, hashes, places are looked at before a file is written."""

import json
import os
import shutil
from pathlib import Path

import pytest

from flows import Workspace
from flows.maintain import maintain
from flows.run import run
from flows.stores.mirror import mirror
from flows.stores.publishing import publish
from flows.stores.recording import take_over
from tasks.core.remote.manifests import TablePointer
from tasks.core.settings.params import load_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.paths import Paths
from tests.lancedb_client import ASK, answer, client, found, last_line
from tests.world import documents, set_params, write_labels

URL = "s3://bucket/mirrored"


@pytest.fixture(scope="module")
def published(stored):
    root = stored("mirrored")
    set_params(root, label={"base_url": "https://model.example/v1"})
    run(root)
    return root


@pytest.fixture
def shop(published, bucket):
    """The folder of the workspace in the bucket; what a test does to it is undone."""
    folder = bucket.folder / "mirrored" / "readers"
    aside = shutil.copytree(folder, bucket.folder.parent / "aside")
    yield folder
    shutil.rmtree(folder)
    aside.rename(folder)


def changed(shop, **more):
    file = shop / "snapshot.json"
    snapshot = json.loads(file.read_text())
    for kind, entries in more.items():
        snapshot[kind] |= entries
    file.write_text(json.dumps(snapshot))


@pytest.mark.parametrize(
    "name",
    [
        *("../../.bashrc", "/etc/passwd", "data/../../x", "data/views/../../../x.json"),
        *(".git/config", "data/labels/.hidden", "data/labels/a/b/c.csv", "data/labels/.."),
        *("data/views/mood.lance", ".refract/trust", "dvc.yaml"),
        "data/views/mood.transforms/../x/transform.json",
    ],
)
def test_a_file_that_no_workspace_has_is_refused_and_nothing_is_written(shop, name):
    hashed = next((shop / "files").iterdir()).name
    mirror(URL)
    before = sorted(mirrored().parent.parent.rglob("*"))
    changed(shop, files={name: hashed})
    with pytest.raises(InputError, match="expected those of a workspace"):
        mirror(URL)
    assert sorted(mirrored().parent.parent.rglob("*")) == before


def mirrored():
    return next(Path(os.environ["XDG_CACHE_HOME"], "refract", "stores").iterdir())


def test_a_table_leads_nowhere_but_below_the_url_that_was_typed(shop, bucket):
    changed(shop, tables={"data/views/mood.lance": {"version": 1, "url": "s3://theirs/x"}})
    paths = Paths(mirror(URL))
    pointer = read_manifest(paths.view_table("mood"), TablePointer)
    assert (pointer.url, pointer.options.endpoint) == (f"{URL}/views/mood.lance", bucket.endpoint)
    changed(shop, tables={"data/views/../x.lance": {"version": 1}})
    with pytest.raises(InputError, match="expected those of a workspace"):
        mirror(URL)


def test_a_file_of_other_content_than_its_name_is_refused(shop):
    snapshot = json.loads((shop / "snapshot.json").read_text())
    name = "data/metrics/scores/mood.json"
    (shop / "files" / snapshot["files"][name]).write_text("{}")
    (mirrored() / name).unlink(missing_ok=True)
    with pytest.raises(InputError, match="other bytes in the store"):
        mirror(URL)


def test_upkeep_puts_anew_what_was_damaged_in_the_store(published, bucket):
    files = bucket.folder / "mirrored" / "readers" / "files"
    for file in files.iterdir():
        file.write_text("damaged")
    shutil.rmtree(mirrored())
    with pytest.raises(InputError, match="'refract maintain' put it anew"):
        mirror(URL)
    maintain(published)
    assert Workspace(URL).views == ["mood", "topic"]


def test_a_state_is_shown_again_after_another_workspace_has_shown_its_own(published, bucket):
    paths, params = Paths(published), load_params(Paths(published).params)
    snapshot = bucket.folder / "mirrored" / "readers" / "snapshot.json"
    own = snapshot.read_bytes()
    snapshot.write_text("{}")
    publish(paths, params)
    assert snapshot.read_text() == "{}"  # it is not asked for at each record
    take_over(paths, params)
    publish(paths, params)
    assert snapshot.read_bytes() == own


def test_a_label_file_that_readers_do_not_take_is_left_out_with_a_line(published, capsys):
    paths, params = Paths(published), load_params(Paths(published).params)
    labels = paths.labels / "mood"
    labels.mkdir()
    (paths.labels / "mood.csv").rename(labels / "a.csv")
    (labels / "b\\c.csv").write_text((labels / "a.csv").read_text())
    run(published)
    publish(paths, params, anew=True)
    assert "not shown to readers elsewhere: data/labels/mood/b" in capsys.readouterr().err
    assert Workspace(URL).views == ["mood", "topic"]
    (labels / "a.csv").rename(paths.labels / "mood.csv")
    shutil.rmtree(labels)


@pytest.mark.parametrize("content", ["", "[]", "rubbish", '{"files": 3}', '{"tables": {"x": 1}}'])
def test_a_snapshot_that_is_none_is_refused_in_one_line(shop, content):
    (shop / "snapshot.json").write_text(content)
    with pytest.raises(InputError, match="among the files for readers") as told:
        mirror(URL)
    assert "\n" not in str(told.value)


def test_a_reader_is_given_no_setting_that_it_has_no_use_for(published, bucket):
    settings = Workspace(URL).paths.params.read_text()
    for kept in ("model.example", URL, bucket.endpoint):
        assert kept not in settings


def test_files_that_a_newer_state_names_no_more_leave_the_mirror_and_reports_stay(
    published, bucket
):
    paths = Workspace(URL).paths
    first = {paths.inside(file) for file in paths.data.rglob("*.safetensors")}
    paths.reports.mkdir(parents=True)
    (paths.reports / "mood.html").write_text("mine")
    write_labels(published, "mood", documents()[:40])
    run(published)
    again = Workspace(URL).paths
    second = {again.inside(file) for file in again.data.rglob("*.safetensors")}
    assert len(first) == len(second) == 2
    assert first != second
    assert (again.reports / "mood.html").read_text() == "mine"


def test_lancedbs_own_client_asks_a_view_in_the_store_by_text(published):
    plain = {"AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1"}
    query = "thank you so much"
    assert answer(ASK, f"{URL}/views", query, **plain)[0][0] == found(URL, query)[0]
    before = {"REFRACT_TRUST": ""}
    said = last_line(client(ASK, f"{URL}/views", query, **plain, **before))
    assert "embed.model loads" in said
