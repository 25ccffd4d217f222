"""What a notebook shows: tables in which a text is a text."""

import json
from html import escape

import polars as pl
import pytest

from flows.queries.notebook import Results
from refract import Workspace
from tasks.core.workspace.paths import Paths
from tests.stories import EVIL

pytestmark = pytest.mark.server


def test_search_and_similar_give_a_frame_that_shows_its_texts(made):
    view = Workspace(made).view("mood")
    found = view.search("thank you so much", k=3, where="channel = 'email'")
    assert isinstance(found, pl.DataFrame)
    assert found.rows(named=True) == view.hits("thank you so much", 3, "channel = 'email'")
    near = view.similar("t03", k=60)
    assert near.rows(named=True) == view.neighbours("t03", k=60)
    shown = near._repr_html_()
    assert all(f"<th>{name}</th>" in shown for name in ("score", "label", "confidence", "text"))
    assert shown.count("<tr>") == 1 + 50
    assert "10 more; further columns: source, channel, stars, novelty" in shown
    assert escape(near["text"][0]) in shown
    assert type(near.select("id")) is pl.DataFrame


def test_a_text_full_of_markup_is_shown_as_text():
    found = Results([{"score": 0.5, "label": EVIL, "text": f"{EVIL}\x1b[2J\u202e", "<i>": 1}])
    shown = found._repr_html_()
    assert "<script" not in shown
    assert "<img" not in shown
    assert "<i>" not in shown
    assert shown.count(escape(EVIL)) == 2
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "<td" in shown


def test_a_workspace_shows_its_views_and_a_view_its_labels(made):
    workspace, scores = Workspace(made), Paths(made).metric("mood")
    shown = workspace._repr_html_()
    assert "<b>made: 72 texts</b>" in shown
    assert shown.count("<tr>") == 1 + len(workspace.views) == 3
    after = json.loads(scores.read_text())["after"]["v_measure"]
    assert f"→ {after:.1f}</td>" in shown
    assert repr(workspace) == f"Workspace({str(made)!r}, views: mood, topic)"
    view = workspace.view("mood")
    counts = view.frame()["label"].value_counts().rows()
    assert all(f"{label}</td>" in view._repr_html_() for label, _ in counts)
    assert all(f">{count}</td></tr>" in view._repr_html_() for _, count in counts)
    assert "mood: 72 texts" in view._repr_html_()
    assert "base: 72 texts" in workspace.view()._repr_html_()
    assert repr(view) == f"View('mood', of {str(made)!r})"


def test_a_new_workspace_says_what_it_lacks(world):
    assert "no views yet: labels into data/labels/NAME.csv" in Workspace(world)._repr_html_()
