"""The page of a view: what it shows, and that texts stay data."""

import itertools
import json
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest

from tasks.core.evaluation.bootstrap import Interval
from tasks.core.report import charts
from tasks.core.report.colours import COLOURED, DARK, LIGHT
from tasks.core.report.confusion import Confusion, ConfusionCell
from tasks.core.report.maps import _sample
from tasks.core.report.page import index_page, points, view_page
from tests.stories import EVIL, story


class Seen(HTMLParser):
    """What a browser would make of a page: its elements, and the text inside each kind."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.text, self._open = [], {}, []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if self._open:
            self.text.setdefault(self._open[-1], []).append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def payload(page):
    inside = page.split('<script type="application/json" id="data">')[1].split("</script>")[0]
    return json.loads(inside)


def test_a_text_full_of_markup_is_shown_as_text_and_never_run():
    seen = Seen(view_page(story(text=EVIL), "/* charts */"))
    assert len(seen.all("script")) == 3
    assert seen.all("img") == []
    assert EVIL in "".join(seen.text["p"])
    assert payload(view_page(story(text=EVIL), ""))["points"][0]["text"] == EVIL


def test_a_label_full_of_markup_is_shown_as_text():
    page = view_page(story(labels=(EVIL, "warm")), "")
    seen = Seen(page)
    assert len(seen.all("script")) == 3
    assert EVIL in [button.get("data-label") for button in seen.all("button")]
    assert len(Seen(index_page([story(labels=(EVIL, "warm"))])).all("script")) == 0


def test_a_page_asks_for_nothing_outside_itself():
    for page in (view_page(story(), ""), index_page([story()])):
        seen = Seen(page)
        asked = [attrs.get("src") or attrs.get("href") for _, attrs in seen.elements]
        assert {url for url in asked if url} <= {"data:,", "mood.html"}
        policy = next(meta for meta in seen.all("meta") if "http-equiv" in meta)
        assert policy["content"].startswith("default-src 'none';")
        assert "url(" not in "".join(seen.text["style"])


def test_the_same_story_is_the_same_page():
    assert view_page(story(), "x") == view_page(story(), "x")


def test_scores_show_their_intervals():
    seen = Seen(view_page(story(), ""))
    ranges = [span["style"] for span in seen.all("span") if span.get("class") == "range"]
    assert ranges == ["left:55.0%;width:11.0%", "left:85.0%;width:9.0%"]


def test_few_labels_are_all_coloured_and_of_many_the_most_frequent():
    few = Seen(view_page(story(), ""))
    assert len(few.all("button")) == 2
    assert few.all("select") == []
    names = [f"label {i:03}" for i in range(150)]
    many = story(labels=names, n=400)
    page = view_page(many, "")
    seen = Seen(page)
    coloured = [button["data-label"] for button in seen.all("button")]
    others = [option["value"] for option in seen.all("option") if option["value"]]
    assert len(coloured) == COLOURED
    assert sorted([*coloured, *others]) == names
    grey = {point["label"] for point in points(many) if point["group"] == charts.OTHERS}
    assert grey == set(others)
    assert all(f"{name}</td>" in page for name in names)


def test_a_page_without_a_check_on_held_out_labels_says_why():
    page = view_page(replace(story(), confusion=None, unchecked="Its labels are gone."), "")
    assert "Its labels are gone." in page
    assert set(payload(page)["charts"]) == {"before", "after"}


def test_the_page_says_what_chance_gives_where_it_is_much_of_the_v_measure():
    few = replace(story(), scores={"v_measure": (Interval(9.0, 5.0, 16.0), Interval(60, 50, 70))})
    said = "The V-measure of so few texts is too high: chance alone gives about 10."
    assert said in view_page(few, "")  # (2 - 1)² / (2 · 7 · ln 2) of 7 texts
    assert "chance alone" not in view_page(replace(few, held_out=700), "")
    assert "chance alone" not in view_page(story(), "")


def test_the_heat_map_of_many_labels_keeps_those_in_most_mistakes():
    counts = np.eye(50, dtype=np.int64) * 9
    counts[40, 41] = counts[3, 7] = 2
    whole = Confusion(tuple(f"c{i:02}" for i in range(50)), counts, counts.sum(1))
    part = whole.busiest(4)
    assert part.labels == ("c03", "c07", "c40", "c41")
    assert whole.mistaken(1) == [ConfusionCell("c03", "c07", texts=2, share=0.1818)]
    assert {cell.share for cell in part.cells()} == {0.1818, 0.8182, 1.0}
    assert whole.agreement == pytest.approx(450 / 454)


def test_a_sample_is_bounded_and_half_of_it_labelled_where_it_can_be():
    texts = pl.Series([f"t{i:04}" for i in range(5_000)])
    known = [f"t{i:04}" for i in range(0, 5_000, 10)]
    drawn = _sample(texts, known, 1, 600)
    assert len(set(drawn)) == 600
    assert len(set(drawn) & set(known)) == 300
    assert drawn == _sample(texts, known, 1, 600)
    assert len(_sample(texts[:100], known, 1, 600)) == 100
    assert len(_sample(texts, list(texts[:4_900]), 1, 600)) == 600


BLINDNESS = {  # Machado, Oliveira and Fernandes, 2009, severity 1, on linear RGB
    "none": np.eye(3),
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritan": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def lab(colour, blindness):
    """Return CIE L*a*b* of a hex colour as one with a colour blindness sees it."""
    srgb = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(blindness) @ linear, 0, 1)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = to_xyz @ seen / np.array([0.9505, 1, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("blindness", BLINDNESS)
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_colours_of_labels_stay_apart_for_every_eye(theme, blindness):
    seen = [lab(colour, BLINDNESS[blindness]) for colour in theme.labels]
    nearest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))
    assert nearest > 10  # ten times a just noticeable difference
