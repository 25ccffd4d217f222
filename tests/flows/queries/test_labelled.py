"""Which texts are labelled, however few, and what a first fit still lacks."""

import pytest

from flows.explore.learning.posting import post_labels
from flows.queries.labelled import LabelsRead, labelled, labelled_in, still_few
from flows.state.label_sources import label_sources
from tasks.core.labels.inbox.checking import PostedRow
from tasks.core.settings.params import load_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.world import documents, write_csv


@pytest.fixture
def paths(made):
    return Paths(made)


def post(paths, rows, key="a"):
    posted = [PostedRow(row["id"], None, row["topic"]) for row in rows]
    return post_labels(paths, load_params(paths.params), "subject", key, "ann", posted)


def test_labels_that_come_one_by_one_are_few_until_a_fit_can_be_made_of_them(paths):
    params = load_params(paths.params)
    assert labelled(paths, params, "subject").label_of == {}
    assert not still_few(paths, "subject")
    post(paths, documents()[:3])
    found = labelled(paths, params, "subject")
    assert found.needed == {"found": 3, "classes": 1, "expected": 10}
    assert still_few(paths, "subject")
    post(paths, documents()[::4], "b")
    assert labelled(paths, params, "subject").needed is None
    assert not still_few(paths, "subject")


def test_who_asks_again_and_again_is_told_what_stands_by_now_whoever_has_written_it(paths):
    params, before = load_params(paths.params), LabelsRead(paths)

    def now():
        file = label_sources(paths).get("subject")
        found = labelled_in(paths, params, file, before)
        assert found == labelled(paths, params, "subject")
        return found.label_of

    file = paths.labels / "subject.csv"
    write_csv(file, [{"id": "t01", "label": "x"}, {"id": "t02", "label": "x"}], ["id", "label"])
    assert now() == now() == {"t01": "x", "t02": "x"}
    post(paths, documents()[2:4])
    assert now() == {"t01": "x", "t02": "delivery", "t03": "delivery"}
    file.write_text(file.read_text().replace("t01", "t00"))
    assert now() == {"t00": "x", "t02": "delivery", "t03": "delivery"}
    post(paths, documents()[:1], "b")
    assert now()["t00"] == "delivery"
    file.unlink()
    assert now() == dict.fromkeys(["t02", "t03", "t00"], "delivery")


def test_a_file_that_somebody_has_laid_there_is_fitted_and_told_to_hold_too_few(paths):
    write_csv(paths.labels / "subject.csv", [{"id": "t01", "label": "x"}], ["id", "label"])
    assert labelled(paths, load_params(paths.params), "subject").needed is not None
    assert not still_few(paths, "subject")


def test_a_label_file_that_cannot_be_read_is_told(paths):
    (paths.labels / "subject.csv").write_text("nothing,here\n1,2\n")
    with pytest.raises(InputError, match=r"subject\.csv: found columns"):
        labelled(paths, load_params(paths.params), "subject")
    assert not still_few(paths, "subject")


def test_a_checkout_halfway_takes_no_labels(paths):
    paths.unfinished_checkout.write_text("{}")
    with pytest.raises(InputError, match="found a checkout under way"):
        post(paths, documents()[:3])
    assert not (paths.labels / "subject").exists()
