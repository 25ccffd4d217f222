"""Versions of a view by http: what git holds, and what moved since one of them."""

import shutil

import pytest

from flows.explore import overview
from flows.explore.routes.views import views
from flows.explore.service import Service
from flows.runtime.lock import writer
from tasks.core.workspace.paths import Paths
from tests.exploring import Explored
from tests.flows.history import git

pytestmark = pytest.mark.dvc


@pytest.fixture(scope="module")
def recorded(_history, tmp_path_factory):
    """A service of a workspace with three recorded versions."""
    from tests.flows.history import copy

    folder = tmp_path_factory.mktemp("recorded")
    served = Explored(copy(_history / "world", folder / "world"), folder / "log")
    yield served
    served.end()


def test_the_versions_are_those_that_git_holds_and_one_of_them_is_live(recorded):
    found = recorded.get("/views/mood/versions").json
    tags = [version["tag"] for version in found["versions"]]
    assert "view/mood/v1" in tags and found["why"] == ""
    assert [version["here"] for version in found["versions"]].count(True) == 1
    assert all(version["labels"] > 0 and version["transform"] for version in found["versions"])


def test_a_comparison_lists_the_texts_that_have_another_label_first(recorded):
    found = recorded.get("/views/mood/compare", to="view/mood/v1").json
    changed = [text["before"]["label"] != text["after"]["label"] for text in found["moved"]]
    assert found["common"] > 0
    assert changed == sorted(changed, reverse=True)
    assert found["total"] == sum(changed)
    assert recorded.get("/views/mood/compare", to="nope").status == 400
    assert recorded.get("/views/mood/compare", to="view/mood/v1\0").status == 422


def test_a_comparison_goes_on_while_somebody_writes(recorded):
    before = recorded.get("/views/mood/compare", to="view/mood/v1").json
    with writer(Paths(recorded.root)):
        assert recorded.get("/views/mood/compare", to="view/mood/v1").json == before


def test_a_view_that_one_side_lacks_is_not_called_the_same(recorded):
    stamp = Paths(recorded.root).view_stamp("topic")
    stamp.rename(stamp.with_suffix(".away"))
    try:
        reply = recorded.get("/views/topic/compare", to="whole/v1")
    finally:
        stamp.with_suffix(".away").rename(stamp)
    assert reply.status == 404 and "the workspace has none" in reply.detail


def test_a_workspace_without_git_has_no_versions_and_is_told_why(_made, tmp_path):
    served = Explored(shutil.copytree(_made, tmp_path / "world"), tmp_path / "log")
    try:
        found = served.get("/views/mood/versions").json
        assert found["versions"] == [] and "expected" in found["why"]
        assert served.get("/views/mood/compare", to="v1").status == 400
    finally:
        served.end()


def test_git_is_asked_for_tags_where_it_may_have_others_than_before(root, monkeypatch):
    service, asked, tags = Service(root), [], overview.tags
    monkeypatch.setattr(overview, "tags", lambda paths: asked.append(paths) or tags(paths))

    def versions():
        return {view.name: view.version for view in views(service).views[1:]}

    first = versions()
    assert first["mood"].startswith("view/mood/v")
    assert versions() == first
    assert len(asked) == 1
    git(root, "tag", "view/mood/v99")
    assert versions()["mood"] == "view/mood/v99"
    git(root, "tag", "--delete", *git(root, "tag", "--list", "view/*").split())
    assert versions() == dict.fromkeys(first)
    assert len(asked) == 3
    assert versions() == dict.fromkeys(first)
    assert len(asked) == 3


def test_tags_are_told_as_soon_as_git_may_be_asked(root, monkeypatch):
    service = Service(root)
    with monkeypatch.context() as distrusted:
        distrusted.setattr(overview, "is_agreed", lambda *_: False)
        assert {view.version for view in views(service).views} == {None}
    assert any(view.version for view in views(service).views)
