"""What a run loads while a server starts: what it needs, and nothing else."""

from flows.cli.making import _ENCODES, _FITS, _needed
from tasks.core.settings.params import load_params
from tasks.core.workspace.paths import Paths
from tests.world import documents, write_documents, write_labels


def needed(root):
    return set(_needed(Paths(root), load_params(Paths(root).params)))


def test_a_first_run_and_one_with_new_documents_encode_and_fit(world, made):
    assert needed(world) == {*_ENCODES, *_FITS}
    write_documents(made, documents()[:-1])
    assert needed(made) == {*_ENCODES, *_FITS}


def test_a_run_that_only_records_needs_no_library_that_fits(made):
    assert needed(made) == set()


def test_a_run_with_a_new_label_file_fits_and_does_not_encode(made):
    write_labels(made, "topic", documents()[:60])
    assert needed(made) == set(_FITS)
