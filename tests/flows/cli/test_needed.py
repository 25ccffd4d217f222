"""What a run loads while a server starts: what it needs, and nothing else."""

from flows.embed import embed
from flows.ingest import ingest
from flows.runtime import prefect_settings
from flows.state import libraries
from flows.state.libraries import APPLIES, ENCODES, FITS, RUNS, TABLES
from tasks.core.settings.params import load_params
from tasks.core.workspace.paths import Paths
from tests.world import documents, set_params, write_documents, write_labels


def needed(root):
    return set(libraries.needed(Paths(root), load_params(Paths(root).params)))


def test_a_first_run_encodes_and_fits(world):
    assert needed(world) == {*FITS, *RUNS}  # numpy computes its static encoder
    set_params(world, embed={"model": "bundled"})
    assert needed(world) == {*ENCODES, *FITS, *RUNS}


def test_a_run_with_changed_documents_may_need_no_library_that_encodes_or_fits(made):
    write_documents(made, documents()[:-1])
    assert needed(made) == {*TABLES, *RUNS}


def test_a_run_that_only_records_needs_no_library_that_fits(made):
    assert needed(made) == set(RUNS)


def test_a_run_with_a_new_label_file_fits_and_does_not_encode(made):
    write_labels(made, "topic", documents()[:60])
    assert needed(made) == {*FITS, *RUNS}


def test_a_run_that_only_writes_a_view_loads_nothing_that_fits(made):
    set_params(made, materialise={"storage": "float32"})
    assert needed(made) == {*APPLIES, *RUNS}


def test_a_verb_after_a_change_loads_what_the_change_needs(made):
    paths, params = Paths(made), load_params(Paths(made).params)
    assert libraries.to_embed(paths, params, rebuild=True) == TABLES
    assert libraries.to_embed(paths, params, rebuild=False) == TABLES
    assert libraries.to_fit(paths, params, [], force=False) == TABLES
    assert libraries.to_fit(paths, params, [], force=True) == FITS
    assert libraries.to_apply(paths, params, []) == ()
    write_documents(made, documents()[:-1])
    ingest(made)
    embed(made)
    assert libraries.to_fit(paths, params, [], force=False) == TABLES
    assert libraries.to_apply(paths, params, []) == TABLES
    write_labels(made, "topic", documents()[:60])
    assert libraries.to_fit(paths, params, [], force=False) == FITS


def test_an_embedding_loads_a_library_of_models_unless_its_encoder_is_static(made):
    paths = Paths(made)
    for settings, wanted in (
        ({"precision": "auto"}, TABLES),
        ({"precision": "bfloat16"}, ENCODES),
        ({"model": "bundled", "precision": "float32"}, ENCODES),
    ):
        set_params(made, embed=settings)
        assert libraries.to_embed(paths, load_params(paths.params), rebuild=True) == wanted
    assert libraries.to_embed(paths, load_params(paths.params), rebuild=False) == TABLES


def unable():
    raise AssertionError("asked what a run needs")


def test_what_is_needed_is_not_asked_where_a_server_is_chosen_or_runs(made, monkeypatch):
    monkeypatch.setattr(prefect_settings, "user_chose_a_server", lambda: True)
    prefect_settings.settle(Paths(made), unable)
    monkeypatch.setattr(prefect_settings, "user_chose_a_server", lambda: False)
    monkeypatch.setattr(prefect_settings, "keep_to", lambda _: None)
    monkeypatch.setattr(prefect_settings, "known", lambda *_: "of refract serve")
    monkeypatch.setattr(prefect_settings, "use", lambda _: None)
    prefect_settings.settle(Paths(made), unable)
