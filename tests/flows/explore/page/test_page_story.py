"""From unlabelled texts to a live view, in a browser and by keys alone, with the real service."""

import json
from urllib.parse import urlsplit

import pytest

from tests.browser import in_browser
from tests.exploring import learning_from
from tests.world import documents

pytestmark = [in_browser, pytest.mark.server, pytest.mark.timeout(600)]
TRUTH = {row["id"]: row["topic"] for row in documents()}
LABELLED = 24
FITTED = 300  # seconds that a fit and its map may take where others keep all cores busy


@pytest.fixture
def learning(_pooled, tmp_path):
    with learning_from(_pooled, tmp_path) as served:
        yield served


def shown(page, selector):
    return page.run(f"document.querySelector({json.dumps(selector)}).innerText")


def test_a_new_name_and_labels_by_keys_become_a_view_that_is_searched(browser, learning):
    page = browser.open(f"{learning.url}/?token={learning.token}", 1280, 860)
    page.until("document.documentElement.dataset.ready === 'true'")
    assert "token" not in page.run("location.href")
    page.click("#new-view")
    page.type("subject")
    page.press("Enter")
    page.until("!!document.querySelector('#card .whole')")
    assert "covers the corpus" in shown(page, "#card")
    kinds = []
    for _ in range(LABELLED):
        key = shown(page, "#card .id")
        if TRUTH[key] in kinds:
            page.press(str(kinds.index(TRUTH[key]) + 1))
        else:
            kinds.append(TRUTH[key])
            page.press("n")
            page.type(kinds[-1])
            page.press("Enter")
        page.until(f"document.querySelector('#card .id')?.innerText !== {json.dumps(key)}")
    page.until("refract.model.unsaved() === false")
    rows = learning.get("/views/subject/labels").json["rows"]
    assert {row["id"]: row["label"] for row in rows}.items() <= TRUTH.items()
    assert len(rows) == LABELLED
    page.until("refract.model.points?.name === 'subject'", FITTED)
    page.until("document.querySelector('#legend').innerText.includes('delivery')")
    found = page.run("refract.model.now")
    assert found["rows"] == 72 and found["labels_needed"] is None
    page.press("/")
    page.type("the parcel is late again")
    page.press("Enter")
    page.until("document.querySelector('#total').innerText.includes('nearest in subject')")
    assert "parcel" in shown(page, "#texts [role=option]")
    page.run("refract.model.set({ also: { topic: 0.5 } })")
    page.until("document.querySelector('#total').innerText.includes('in subject and topic × 0.5')")
    asked = {"q": "the parcel is late again", "k": 100, "view": "topic:0.5"}
    hits = learning.get("/views/subject/search", **asked).json["hits"]
    assert page.run("refract.model.hits") == [hit["id"] for hit in hits]
    page.press("Escape", "v")
    why = learning.get("/views/subject/versions").json["why"]
    assert "expected" in why
    page.until(f"document.querySelector('#versions').innerText === {json.dumps(why)}")
    assert {urlsplit(url).netloc for url in page.asked} == {learning.host}
    assert page.faults == []


def test_labels_that_others_have_named_have_keys_before_there_is_a_view(browser, _made, tmp_path):
    with learning_from(_made, tmp_path, settle=600) as taking:
        page = browser.open(f"{taking.url}/?token={taking.token}", 1280, 860)
        page.until("document.documentElement.dataset.ready === 'true'")
        page.click("#new-view")
        page.type("subject")
        page.press("Enter")
        page.until("!!document.querySelector('#card .whole')")
        names = ["delivery: the parcel", "account: the login page"]
        assert taking.post("/views/subject/classes", {"classes": names}).status == 200
        keys = "[...document.querySelectorAll('#card .give')].map((each) => each.textContent)"
        page.until(f"{keys}.join() === '1delivery,2account'")
        page.press("1")
        page.until("refract.model.unsaved() === false && refract.model.given.size === 1")
        rows = taking.get("/views/subject/labels").json["rows"]
        assert [row["label"] for row in rows] == ["delivery"]
        page.run("localStorage.clear()")
        page.go(page.run("location.href"))
        page.run("location.reload()")
        page.until(f"{keys}.join() === '1delivery,2account'")
        assert taking.get("/views/subject").json["rows"] == 0
        assert page.faults == []
