"""A workspace whose tables lie in an object store, from its first run on: real S3, git and DVC."""

import json
import shutil

import pytest

from flows import Workspace
from flows.checkout import checkout
from flows.maintain import maintain
from flows.queries.diff import diff
from flows.queries.versions import view_versions
from flows.rollback import rollback
from flows.run import run
from flows.state import staleness
from tasks.core.remote.manifests import TablePointer
from tasks.core.settings.params import load_params
from tasks.core.store import layout, tables
from tasks.core.workspace.files import read_json
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.paths import Paths
from tests.buckets import KEYS
from tests.commands import refract, refused
from tests.flows.history import AUTHOR, dvc, git, seen
from tests.world import documents, make_world, set_params, write_documents, write_labels

pytestmark = pytest.mark.dvc

URL = "s3://bucket/story"


def cached(root):
    """Return the bytes in DVC's cache."""
    files = (root / ".dvc" / "cache").rglob("*")
    return sum(file.stat().st_size for file in files if file.is_file())


def kept(bucket):
    """Return the data files of all tables in the store."""
    return sorted(path.name for path in bucket.folder.rglob("*.lance/data/*"))


@pytest.fixture(scope="module")
def story(bucket, tmp_path_factory, tiny_model):
    """Two recorded versions, and what was seen of each."""
    root = make_world(
        tmp_path_factory.mktemp("story") / "world", str(tiny_model), git=True, method="auto"
    )
    store = bucket.settings(url=URL, patience=20.0)
    set_params(root, store=store, record={"author": AUTHOR})
    rows, found = documents(), {}
    write_labels(root, "mood", rows[:40:2])
    for version, many in (("v1", 60), ("v2", 72)):
        write_documents(root, rows[:many])
        before = cached(root)
        assert run(root, commit=True).record.commit
        git(root, "tag", f"whole/{version}")
        found[version] = seen(root)
        found[f"bytes of {version}"] = cached(root) - before
        write_labels(root, "mood", rows[:60:2])
    write_labels(root, "mood", rows[:60:2])
    return root, found


@pytest.fixture(scope="module")
def told(story, bucket):
    """The whole story on one workspace, each chapter with what it left."""
    root, _ = story
    paths, chapters = Paths(root), {}
    before = kept(bucket)
    for version in ("v1", "v2"):
        checkout(root, f"whole/{version}" if version == "v1" else "main")
        stale = staleness.anything(paths, load_params(paths.params))
        elsewhere = seen(URL)
        chapters[version] = (
            seen(root),
            elsewhere,
            stale,
            json.loads(dvc(root, "status", "--json")),
        )
    chapters["moved"] = [name for name in kept(bucket) if name not in before]
    chapters["versions"] = [row.tag for row in view_versions(paths, "mood")]
    chapters["diff"] = diff(root, "whole/v1", "whole/v2").to_json()
    chapters["rollback"] = rollback(root, "mood", "v1")
    chapters["back"] = seen(root)
    set_params(root, maintain={"keep_days": 0})
    chapters["maintain"] = maintain(root, commit=True)
    chapters["kept up"] = seen(root)
    checkout(root, "whole/v1")
    chapters["again"] = seen(root)
    checkout(root, "main")
    chapters["end"] = seen(root)
    return chapters


def test_in_the_place_of_each_table_is_a_pointer_and_dvc_records_that(story):
    root, found = story
    paths = Paths(root)
    for table in (
        paths.corpus_table,
        paths.base_table,
        paths.view_table("mood"),
        paths.view_table("topic"),
    ):
        pointer = read_manifest(table, TablePointer)
        assert pointer.url == f"{URL}/{table.relative_to(paths.data)}"
        assert layout.exists(table)
    here = {path.name for path in paths.data.rglob("*") if path.is_dir()}
    assert not [name for name in here if name.endswith(".lance") or name == "_versions"]
    assert found["bytes of v2"] < 200_000


def test_every_version_comes_back_and_no_byte_of_a_table_moves(story, told):
    _, found = story
    assert told["moved"] == []
    for version in ("v1", "v2"):
        here, elsewhere, stale, status = told[version]
        assert here == found[version]
        assert elsewhere == found[version]
        assert (stale, status) == (False, {})
    assert told["versions"] == ["view/mood/v2", "view/mood/v1"]


def test_two_versions_are_compared_where_they_lie(told):
    moved = told["diff"]["views"]["mood"]["moved"]
    assert (moved["common"], moved["compared"]) == (60, 60)


def test_a_rollback_writes_the_view_of_todays_texts_by_the_earlier_transform(story, told):
    _, found = story
    assert (told["rollback"].was, told["rollback"].version) == ("v2", "v1")
    assert told["back"]["mood"][1] == found["v2"]["mood"][1]
    assert told["back"]["mood"] != found["v2"]["mood"]
    assert told["back"]["base"] == found["v2"]["base"]


def test_upkeep_lets_versions_go_that_no_record_names_and_no_other(story, told):
    _, found = story
    assert {report.name for report in told["maintain"]} == {"corpus", "base", "mood", "topic"}
    assert all(report.after.versions <= report.before.versions for report in told["maintain"])
    assert told["kept up"] == told["back"] == told["end"]
    assert told["again"] == found["v1"]


def test_any_client_of_lance_sees_what_is_live(story, told, bucket):
    import lance

    root, _ = story
    options = {"aws_endpoint": bucket.endpoint, "allow_http": "true", "aws_region": "any"}
    table = lance.dataset(f"{URL}/views/mood.lance", version="live", storage_options=options)
    assert table.version == tables.live_version(Paths(root).view_table("mood"))
    assert table.count_rows() == 72


def test_the_command_line_reads_by_the_url_and_writes_nothing_there(story, told, tmp_path):
    words = ("search", "thank you", "--view", "mood", "--json")
    here, there = refract(story[0], *words), refract(tmp_path, *words, "--root", URL)
    assert (there.code, there.out) == (0, here.out)
    exported = refract(tmp_path, "export", "mood", "mood.csv", "--root", URL)
    assert (exported.code, (tmp_path / "mood.csv").read_text().count("\n")) == (0, 73)
    for verb in (("run",), ("checkout", "main"), ("maintain",), ("embed",), ("status",)):
        assert "which is for reading" in refused(tmp_path, *verb, "--root", URL)
    assert "found no workspace there" in refused(tmp_path, *words, "--root", "s3://bucket/none")
    said = refused(tmp_path, *words, "--root", "s3://name:secretsecret@bucket/story")
    assert "secretsecret" not in said


def test_what_readers_are_given_names_no_folder_and_no_endpoint_of_the_writers(story, told):
    mirrored = Workspace(URL).paths
    assert load_params(mirrored.params).store.url is None
    assert load_params(mirrored.params).label == load_params(Paths(story[0]).params).label
    assert not (mirrored.root / ".git").exists()
    assert read_json(mirrored.view_table("mood"))["url"] == f"{URL}/views/mood.lance"


def test_no_key_is_in_any_file_of_the_workspace_the_store_or_a_reader(story, told, bucket):
    root, _ = story
    for folder in (root, bucket.folder, Workspace(URL).paths.root):
        for file in folder.rglob("*"):
            content = file.read_bytes() if file.is_file() else b""
            assert not [key for key in KEYS.values() if key.encode() in content], file


def test_other_settings_than_where_the_tables_lie_are_refused_with_the_way_on(
    story, told, tmp_path
):
    root = shutil.copytree(story[0], tmp_path / "world", symlinks=True)
    write_documents(root, documents()[:50])
    before = {path: path.read_bytes() for path in (root / "data").rglob("*.lance")}
    for url in (None, "s3://bucket/elsewhere"):
        set_params(root, store={"url": url})
        said = refused(root, "run")
        assert "found a pointer to s3://bucket/story/corpus/corpus.lance" in said
        assert "remove data/corpus, data/vectors and data/views" in said
    assert {path: path.read_bytes() for path in before} == before


def test_a_workspace_with_tables_of_its_own_is_not_moved(made, bucket):
    set_params(made, store=bucket.settings(url="s3://bucket/moved"))
    write_documents(made, documents()[:50])
    assert "found a table on this disk" in refused(made, "run")


def test_another_workspace_does_not_write_to_the_tables_of_this(story, told, world, bucket):
    set_params(world, store=bucket.settings(url=URL))
    assert "found a table that this workspace does not know" in refused(world, "run")


def test_the_view_of_a_label_file_that_is_gone_is_seen_no_more_and_may_come_back(stored, bucket):
    world = stored("gone")
    set_params(world, materialise={"retire": True})
    labels = Paths(world).labels / "mood.csv"
    content = labels.read_text()
    labels.unlink()
    run(world)
    assert Workspace("s3://bucket/gone").views == ["topic"]
    assert not (bucket.folder / "gone/views/mood.lance/_refs/tags/live.json").exists()
    labels.write_text(content)
    run(world)
    assert Workspace("s3://bucket/gone").views == ["mood", "topic"]
    assert len(Workspace("s3://bucket/gone").view("mood").frame()) == 72
