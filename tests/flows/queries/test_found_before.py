"""What queries keep of fits of their own: used as long as the same fit would find the same."""

import json

import pytest

from flows.queries import found_before
from flows.queries.check import check
from flows.queries.doubts import doubts
from flows.queries.report import _labels
from flows.state.live_transform import live_card
from tasks.core.settings.fit_section import FitSettings
from tasks.core.settings.params import load_params
from tasks.core.transforms.training_set import Labelled
from tasks.core.workspace.files import read_json
from tasks.core.workspace.paths import Paths
from tests.world import set_params


def asked(root):
    return doubts(Paths(root), load_params(Paths(root).params), "mood", 20).to_json()


def checked(root):
    """Return what the page of the mood is told, as JSON would hold it."""
    paths, params = Paths(root), load_params(Paths(root).params)
    found = check(paths, params, live_card(paths, "mood"), _labels(paths, params, "mood")[0])
    return found.confusion.labels, found.confusion.counts.tolist(), found.scores


@pytest.fixture
def fits(monkeypatch):
    """The method of each fit, and whether it knew names."""
    seen, real = [], Labelled.fit

    def fit(self, method, *rest):
        seen.append((method, self.spoken is not None))
        return real(self, method, *rest)

    monkeypatch.setattr(Labelled, "fit", fit)
    return seen


@pytest.mark.parametrize("find", [asked, checked])
def test_what_was_found_without_names_is_found_anew_with_them(pooled, fits, find):
    first = find(pooled)
    assert {names for _, names in fits} == {True}
    set_params(pooled, embed={"max_length": 77})
    find(pooled)
    assert {names for _, names in fits} == {True, False}
    set_params(pooled, embed={"max_length": None})
    fits.clear()
    assert find(pooled) == first
    assert {names for _, names in fits} == {True}


@pytest.mark.parametrize("find", [asked, checked])
def test_what_another_revision_has_found_is_found_anew(pooled, fits, find, monkeypatch):
    find(pooled)
    fits.clear()
    find(pooled)
    assert fits == []
    monkeypatch.setattr(found_before, "REVISION", found_before.REVISION + 1)
    find(pooled)
    assert fits


def test_a_view_is_checked_anew_where_settings_of_its_own_method_change(pooled, fits):
    set_params(pooled, fit={"method": "identity"})
    checked(pooled)
    fits.clear()
    set_params(pooled, fit={"discriminant": FitSettings().discriminant.model_copy(update=CHANGED)})
    checked(pooled)
    assert [method for method, _ in fits] == ["auto"]


def test_doubts_of_a_method_without_a_posterior_are_those_of_the_one_asked_instead(pooled, fits):
    first = asked(pooled)
    set_params(pooled, fit={"method": "fda"})
    assert asked(pooled) == first
    assert set(fits) == {("auto", True)}


CHANGED = {"residual": 0}
BAD_COUNTS = [
    *([], [[1]], [[1, 2], [3]], [[1, 2, 3]] * 2, [[1, -1], [0, 1]], [[1, 1e3], [1, 1]]),
    *([[10**30, 0], [0, 1]], "many", None),
]


@pytest.mark.parametrize("counts", BAD_COUNTS)
def test_a_matrix_that_is_none_is_no_note(made, counts):
    first, place = checked(made), Paths(made).check("mood")
    note = read_json(place)
    place.write_text(json.dumps(note | {"found": note["found"] | {"counts": counts}}))
    assert checked(made) == first
    assert read_json(place) == note


@pytest.mark.parametrize(("find", "of"), [(asked, Paths.doubts), (checked, Paths.check)])
def test_a_note_that_lacks_a_key_is_none(made, find, of):
    first, place = find(made), of(Paths(made), "mood")
    note = read_json(place)
    assert note.keys() == {"made_from", "found"}
    parts = [{name: value for name, value in note.items() if name != key} for key in note]
    for key in note["found"]:
        less = {name: value for name, value in note["found"].items() if name != key}
        parts.append(note | {"found": less})
    for part in parts:
        place.write_text(json.dumps(part))
        assert find(made) == first
        assert read_json(place) == note
