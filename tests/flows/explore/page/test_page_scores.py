"""What the page says of how good a view is, and of what it does not know."""

import json

import polars as pl

from tests.browser import in_browser
from tests.pretended_explore import READY, Pretended, corpus

pytestmark = in_browser
NEWS = "document.querySelector('#news').textContent"
FIGURES = "document.querySelector('#scores').innerText"
WORKING = "document.querySelector('#working').textContent"
TITLE = "document.querySelector('#title-view').textContent"


def live(service, right, interval=None, learnt=None):
    """Have a new version live, that is right in so many percent, by all labels or fewer."""
    service.version += 1
    service.scores = {"right": right, "intervals": {"right": interval} if interval else {}}
    service.scores |= {} if learnt is None else {"texts": learnt}
    told = {"version": f"view/mood/v{service.version}", "rows": len(service.texts)}
    service.tell("live", view="mood", **told)


def test_what_moves_within_the_interval_is_no_sure_change(page, service):
    live(service, 71.0, {"low": 53.0, "high": 88.0})
    page.until(f"{NEWS}.includes('71 % right (53 to 88)')")
    live(service, 60.0, {"low": 50.0, "high": 75.0})
    page.until(
        f"{NEWS}.endsWith('60 % right (50 to 75); the 71 % of before are within that:"
        " no sure change')"
    )
    live(service, 90.0, {"low": 80.0, "high": 97.0})
    page.until(f"{NEWS}.endsWith('90 % right (80 to 97), 60 % before')")
    band = page.run("document.querySelector('#scores .spark').getAttribute('aria-label')")
    assert band.endswith("71, 60, 90; the last one is from 80 to 97")
    high, top, height = page.run(
        "(({ children: [band, line] }) => [band.getAttribute('y'), line.getAttribute('points')"
        ".split(' ').at(-1).split(',')[1], band.getAttribute('height')])"
        "(document.querySelector('#scores .spark'))"
    )
    assert float(high) < float(top) < float(high) + float(height)


def test_of_too_few_labels_it_says_that_they_are_too_few(page, service):
    service.given = {f"t{n:06}": "glad" for n in range(12)}
    live(service, None)
    page.until(f"{FIGURES} === 'too few labels to say how many are right (12 of 20)'")
    live(service, 70.0, {"low": 60.0, "high": 80.0})
    page.until(f"{FIGURES}.startsWith('70 %')")


def test_a_view_of_names_is_marked_until_one_of_labels_is_live(page, service):
    service.gate, service.by_names = {"state": "unproven", "why": "no label"}, True
    live(service, None)
    page.until("document.querySelector('.gate')?.textContent === 'unproven: by names alone'")
    service.tell("labels", view="mood", labelled=12, labels_needed=None)
    page.until("refract.model.now.labelled === 12")
    assert page.run("document.querySelector('.gate').textContent") == "unproven: by names alone"
    assert "too few" not in page.run(FIGURES)
    service.by_names = False
    live(service, None)
    page.until("document.querySelector('.gate').textContent === 'unproven'")
    page.until(f"{FIGURES}.startsWith('too few labels')")


def test_scores_of_labelled_texts_are_folded_until_they_are_asked_for(page, service):
    folded = "document.querySelector('#folded')"
    assert page.run(f"{folded}.hidden") is True
    page.click("#further")
    assert page.run(f"{folded}.hidden") is False
    assert page.run(f"{folded}.innerText.split(/\\s+/).join(' ')") == "kNN@10 40 → 80"
    live(service, 70.0)
    page.until(f"{FIGURES}.startsWith('70 %')")
    assert page.run(f"{folded}.hidden") is False
    assert page.run("document.querySelector('#further').getAttribute('aria-expanded')") == "true"
    page.click("#further")
    assert page.run(f"{folded}.hidden") is True


def test_that_labels_are_learnt_is_said_as_long_as_they_are(page, service):
    page.press("l")
    page.until("!!document.querySelector('#card .give')")
    assert page.run(WORKING) == ""
    service.tell("fit", view="mood")
    page.until(f"{WORKING} === 'the view learns your labels …'")
    service.tell("fitted", view="mood")
    page.until(f"{WORKING} === ''")


def test_a_map_of_no_view_is_not_called_one(browser):
    with Pretended(corpus(60)) as service:
        page = browser.open(f"{service.url}/", 1280, 860)
        page.until(READY)
        assert page.run(TITLE) == "The same texts, seen by mood"
        page.click("#new-view")
        assert page.run("document.activeElement.placeholder") == "mood, or mood: calm, angry"
        page.type("anger")
        page.press("Enter")
        page.until(f"{TITLE} === 'As embedded: there is no view anger yet'")
        page.run("refract.model.set({ view: 'mood' })")
        page.until(f"{TITLE} === 'The same texts, seen by mood'")


def test_while_the_map_of_a_new_version_is_made_the_page_says_so(page, service):
    service.held.add("/mood/points")
    live(service, 70.0)
    making = "document.querySelector('#making-view').textContent.trim()"
    page.until(f"{making} === 'fetching the new map of 60 texts …'")
    assert page.run(FIGURES).startswith("70 %")
    service.held.clear()
    page.until(f"{making} === ''")


def test_escape_in_the_search_puts_it_and_what_it_found_away(page, service):
    page.press("/")
    page.type("glad")
    page.press("Enter")
    page.until("refract.model.hits?.length > 0")
    page.press("/")
    page.press("Escape")
    page.until("refract.model.query === '' && document.querySelector('#query').value === ''")
    page.until("document.querySelector('#total').innerText === '60 texts'")


def test_a_link_to_a_text_that_there_is_not_leaves_nothing_open(browser, service):
    page = browser.open(f"{service.url}/#open=nobody", 1280, 860)
    page.until(READY)
    page.until("document.querySelector('#error').innerText.includes('id nobody')")
    assert page.run("refract.model.open") is None
    assert page.run("location.hash") == "#view=mood"
    assert page.run("document.querySelector('#detail').hidden") is True
    assert json.dumps(page.faults) == "[]"


def test_of_which_texts_a_view_is_sure_is_told_once_there_are_labels_enough(page, service):
    few = {f"t{n:06}": "glad" for n in range(99)}
    service.given = few
    live(service, 70.0)
    page.until(f"{FIGURES}.startsWith('70 %')")
    assert "sure" not in page.run(FIGURES)
    service.given = few | {"t000099": "glad"}
    live(service, 71.0)
    sure = service.texts.filter(pl.col("confidence") >= 0.9)["confidence"]
    said = f"{len(sure)} sure, ~{100 * sure.mean():.0f} % of them right"
    page.until(f"{FIGURES}.includes({json.dumps(said)})")
    service.given |= {f"t{n:06}": "glad" for n in range(100, 200)}
    service.tell("labels", view="mood", labelled=200, labels_needed=None)
    live(service, 72.0, learnt=90)
    page.until(f"{FIGURES}.startsWith('72 %')")
    assert "sure" not in page.run(FIGURES)
    live(service, 71.0)
    page.until(f"{FIGURES}.includes({json.dumps(said)})")
    page.click("#scores .plain")
    listed = f"{len(sure)} texts of 60 fit the filter"
    page.until(f"document.querySelector('#total').innerText === {json.dumps(listed)}")
