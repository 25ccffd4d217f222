"""What was damaged or replaced behind a note is told, with the way on, or made anew."""

import shutil

import pytest

from flows import Workspace
from flows.fit import fit
from flows.ingest import ingest
from flows.materialise import materialise
from flows.run import run
from flows.state import staleness
from tasks.core.settings.params import load_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import read_json
from tasks.core.workspace.paths import Paths
from tests.corpora import corpus_rows
from tests.flows.rows import base_rows, view_rows
from tests.world import documents, write_documents


def test_a_corrupted_transform_is_named_with_the_way_on(made):
    file = Paths(made).transform("mood") / "transform.safetensors"
    file.write_bytes(file.read_bytes()[:-7])
    write_documents(made, documents()[:70])
    run(made)  # the view has its own copy, so the corpus can go on changing
    assert len(view_rows(made, "mood")) == 70
    made_by = read_json(Paths(made).view_stamp("mood"))["transform"]
    kept = Paths(made).kept_transform("mood", made_by) / "transform.safetensors"
    kept.write_bytes(b"broken")
    with pytest.raises(InputError, match="refract materialise mood"):
        Workspace(made).view("mood").hits("thank you")
    materialise(made, ["mood"])
    assert Workspace(made).view("mood").hits("thank you", k=1)


def test_a_corpus_that_was_replaced_behind_its_note_is_made_anew(made, tmp_path):
    paths = Paths(made)
    good = corpus_rows(made).sort("id")
    write_documents(made, documents()[:30])
    ingest(made)
    other = shutil.copytree(paths.corpus_table, tmp_path / "other.lance")
    write_documents(made, documents())
    ingest(made)
    shutil.rmtree(paths.corpus_table)
    other.rename(paths.corpus_table)  # as a kill between the table and its note leaves it
    run(made)
    assert corpus_rows(made).sort("id").equals(good)
    assert len(base_rows(made)) == 72


def test_a_corrupted_transform_is_repaired_by_the_move_that_is_named(made):
    paths = Paths(made)
    (paths.transform("mood") / "transform.safetensors").write_bytes(b"x")
    shutil.rmtree(paths.views)
    with pytest.raises(InputError, match=r"transforms/mood/.*run 'refract fit mood --force'"):
        materialise(made, ["mood"])
    assert [report.refitted for report in fit(made, ["mood"], force=True).fitted] == [True]
    run(made)
    assert len(Workspace(made).view("mood").hits("thank you", k=3)) == 3


@pytest.mark.parametrize("damage", ["mood.transforms", "mood.lance/_refs", "mood.lance/_versions"])
def test_a_damaged_view_is_stale_and_made_whole_again(made, damage):
    paths = Paths(made)
    old = Workspace(made).view("mood").hits("thank you", k=5)
    shutil.rmtree(paths.views / damage)
    assert staleness.view_verdict(paths, load_params(paths.params), "mood").stale
    materialise(made)
    assert Workspace(made).view("mood").hits("thank you", k=5) == old


def test_a_broken_base_table_is_no_fault_of_the_label_files(made):
    paths = Paths(made)
    for manifest in (paths.base_table / "_versions").iterdir():
        manifest.write_bytes(b"junk")
    with pytest.raises(InputError, match="not readable as a Lance table"):
        fit(made, force=True)
    assert not paths.rejection("mood").exists()


def test_notes_without_a_known_key_count_as_stale(made):
    paths = Paths(made)
    notes = (
        paths.stamp("ingest"),
        paths.stamp("embed"),
        paths.view_stamp("mood"),
        paths.transform("mood") / "transform.json",
        paths.metric("mood"),
        paths.hashes,
    )
    for note in notes:
        note.write_text("{}")
    assert staleness.anything(paths, load_params(paths.params))
    run(made)
    assert len(Workspace(made).view("mood").hits("thank you", k=3)) == 3


def test_lost_data_files_are_named_with_the_way_on(made):
    shutil.rmtree(Paths(made).view_table("mood") / "data")
    with pytest.raises(InputError, match=r"not readable as a Lance table .* 'refract run'"):
        Workspace(made).view("mood").hits("thank you")
