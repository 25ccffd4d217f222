"""Labels on the page of `refract explore`: of which text, annotator and workspace they are."""

import json
import time

import pytest

from tests.browser import in_browser
from tests.pretended_explore import LABELS, Pretended, corpus, refusal

pytestmark = in_browser
CARD = "document.querySelector('#card .id')?.innerText"
FOCUS = "document.activeElement.className"
NEWS = "document.querySelector('#news').innerText"


@pytest.fixture
def service():
    with Pretended(corpus(40)) as started:
        yield started


@pytest.fixture
def page(browser, service):
    return opened(browser.open(f"{service.url}/#panel=label", 1280, 860))


def opened(page):
    page.until("document.documentElement.dataset.ready === 'true'")
    page.until("!!document.querySelector('#card .whole')")
    return page


def again(page):
    page.go(page.run("`${location.origin}/?${Math.random()}#panel=label`"))
    opened(page)


def type_label(page, label):
    """Give a label by its name to the text in the queue, and return which text that was."""
    text = page.run(CARD)
    page.press("n")
    page.type(label)
    page.press("Enter")
    page.until(f"{CARD} !== {json.dumps(text)}")
    return text


def given(page, many):
    """Wait until so many texts have a label, and the service has all of them."""
    page.until(f"refract.model.given.size === {many} && refract.model.unsaved() === false")


def test_a_typed_label_is_of_one_text_and_the_next_key_gives_another(page, service):
    first = type_label(page, LABELS[1])
    assert page.run("document.querySelector('#card .new').value") == ""
    second = type_label(page, LABELS[0])
    third = page.run(CARD)
    page.press("3")
    given(page, 3)
    assert service.given == {first: LABELS[1], second: LABELS[0], third: LABELS[2]}


def test_unsent_labels_are_sent_to_their_own_workspace_by_whichever_page(page, service):
    service.refuse = lambda _: refusal(503, "busy")
    page.press("1")
    left = page.until("Object.entries(localStorage).find(([name]) => name.includes('outbox'))")
    service.refuse = lambda _: None
    given(page, 1)
    mine = service.posted[-1]["key"]
    service.given.clear()
    service.posted.clear()
    page.run(f"localStorage.setItem(...{json.dumps(left)})")  # as a page that was killed leaves it
    service.workspace = "another"
    again(page)
    page.press("2")
    given(page, 1)
    assert list(service.given.values()) == [LABELS[1]]
    assert mine not in [post["key"] for post in service.posted]
    service.workspace = "here"
    again(page)
    page.until("refract.model.unsaved() === false")
    assert [post["key"] for post in service.posted][1:] == [mine]


def test_a_page_that_stays_open_labels_no_other_workspace_and_becomes_the_page_of_that(
    page, service
):
    service.workspace = "another"
    page.press("1")
    page.until(f"{NEWS}.startsWith('not saved yet: known_as')")
    assert service.given == {}
    service.workspace = "here"
    given(page, 1)
    service.workspace = "another"
    page.run("window.before = true")
    service.tell("live", view="mood", version=None, transform="f1", rows=40)
    page.until("window.before === undefined && window.refract?.model.workspace === 'another'")


def test_undo_takes_a_label_back_from_who_gave_it(page, service):
    page.press("1")
    given(page, 1)
    for name, own in (("berta", 0), ("explore", 1), ("berta", 0)):
        page.run(f"document.querySelector('#annotator').value = '{name}'")
        page.run("document.querySelector('#annotator').dispatchEvent(new Event('change'))")
        page.until(f"refract.model.own.size === {own}")
    page.press("2")
    page.until("refract.model.given.size === 2")
    page.press("u")
    page.press("u")
    given(page, 0)
    who = [post["annotator"] for post in service.posted]
    assert who == ["explore", "berta", "berta", "explore"]
    assert [post["rows"][0]["label"] for post in service.posted] == [*LABELS[:2], None, None]


def test_a_refusal_leaves_what_was_saved_of_the_same_text(page, service):
    text = page.run(CARD)
    page.run(f"refract.model.set({{ panel: 'texts', open: {json.dumps(text)} }})")
    page.until("!!document.querySelector('#detail .choice')")
    service.refuse = lambda body: (
        refusal(400, "label: found another") if body["rows"][0]["label"] == LABELS[1] else None
    )
    page.press("1")
    given(page, 1)
    page.press("2")
    page.until("!document.querySelector('#error').hidden")
    of_text = f"refract.model.given.get({json.dumps(text)})"
    assert page.run(of_text) == LABELS[0] == service.given[text]
    page.press("2", "3")  # refused while another one follows on it
    page.until(f"{of_text} === {json.dumps(LABELS[2])} && refract.model.unsaved() === false")
    page.press("u")
    given(page, 1)
    assert page.run(of_text) == LABELS[0] == service.given[text]
    page.press("u")
    given(page, 0)
    assert page.run(of_text) is None and service.given == {}


def test_labels_are_sent_at_once_when_the_browser_is_online_again(page, service):
    page.run(
        "window.setTimeout = ((real) => (call, ms) => ms < 1000 ? real(call, ms) : 0)(setTimeout)"
    )
    service.refuse = lambda _: refusal(503, "busy")
    page.press("1")
    page.until(f"{NEWS} === 'not saved yet: busy'")
    service.refuse = lambda _: None
    page.run("dispatchEvent(new Event('online'))")
    given(page, 1)


def test_a_fault_of_who_hears_of_saved_labels_keeps_none_from_being_sent(page, service):
    page.run(
        "addEventListener('unhandledrejection', () => { window.told = true; });"
        "refract.model.on('views', (names) => { if (names.includes('saving'))"
        " throw new Error('of a listener'); })"
    )
    page.press("1", "2")
    given(page, 2)
    page.until("window.told")
    assert list(service.given.values()) == LABELS[:2]
    assert page.faults and all("of a listener" in fault for fault in page.faults)
    assert not page.run(NEWS).startswith("not saved yet")


def test_texts_come_until_each_was_looked_at_and_then_it_says_so(page, service):
    page.press("1")
    given(page, 1)
    seen = list(service.given)
    card = "document.querySelector('#card').innerText"
    while (now := page.until(f"{CARD} ?? {card}.endsWith('.')")) is not True:
        seen.append(now)  # as it was then: the next answer draws it anew
        page.press("s")
        page.until(f"{CARD} !== {json.dumps(seen[-1])}")
    assert sorted(seen) == service.texts["id"].to_list()
    assert page.run(card) == (
        "Nothing is left to suggest but what was skipped, 39 texts: load the page anew to see"
        " them again."
    )
    page.click("#queues [value=doubts]")
    doubted = 0
    ended = f"{card}.endsWith('.') && !{card}.includes('suggest')"
    while (now := page.until(f"{CARD} ?? ({ended})")) is not True:
        doubted += 1
        page.press("s")
        page.until(f"{CARD} !== {json.dumps(now)}")
    assert doubted == 40
    assert page.run(card).startswith("No label is in doubt but those that came by, 40 texts")


def test_redraws_while_the_first_texts_are_awaited_do_not_end_the_queue(browser, service):
    service.held.add("/suggest")
    page = browser.open(f"{service.url}/#panel=label", 1280, 860)
    page.until("document.documentElement.dataset.ready === 'true'")
    for _ in range(3):
        page.run("refract.model.tell('given')")
        time.sleep(0.1)  # it draws a moment later
    service.held.clear()
    for _ in range(32):  # of which thirty came at first
        now = page.until(CARD)
        page.press("s")
        page.until(f"!!({CARD}) && {CARD} !== {json.dumps(now)}")


def test_texts_are_drawn_at_random_where_that_is_chosen(page, service):
    page.click("#queues [value=random]")
    page.until("document.querySelector('#card .why')?.innerText.startsWith('drawn at random')")
    page.press("1")
    given(page, 1)
    assert any("suggest?n=30&random=true" in asked for asked in service.seen)


def test_who_types_a_name_keeps_the_field_when_another_label_or_view_comes(page, service):
    page.press("n")
    page.type("dre")
    service.given["t000000"] = "amused"
    service.tell("labels", view="mood", labelled=1, labels_needed=None)
    page.until("document.querySelector('#card .choice')?.innerText.includes('amused')")
    assert page.run(FOCUS) == "new"
    page.type("amy")
    assert page.run("document.activeElement.value") == "dreamy"
    page.press("Escape")
    page.click("#new-view")
    page.type("ton")
    page.run("refract.model.views.set('other', { ...refract.model.now, name: 'other' })")
    page.run("refract.model.tell('views')")
    page.until("document.querySelector('#views').innerText.includes('other')")
    page.type("e")
    page.press("Enter")
    page.until("refract.model.view === 'tone'")
    assert page.run(NEWS) == (
        "tone: label 12 texts, by two labels at least, and its first view is made"
    )
    assert page.run("document.activeElement === document.body")
    assert "0 of 12 labels" in page.run("document.querySelector('#views').innerText")
    page.click("#new-view")
    page.type("x" * 64)
    page.press("Enter")
    page.until("document.querySelector('#error').innerText.includes('expected 1 to 63 of a-z')")


def test_names_of_labels_behind_the_name_of_a_new_view_are_posted_and_have_keys(page, service):
    page.click("#new-view")
    page.type("Tone of it: calm, angry: beside himself, ")
    page.press("Enter")
    page.until("refract.model.view === 'tone_of_it'")
    assert service.named == {
        "tone_of_it": {"classes": ["calm", "angry: beside himself"], "known_as": "here"}
    }
    page.until(f"{NEWS}.startsWith('tone_of_it: its first view is made of 2 names alone')")
    page.until("document.querySelector('#card .choice')?.innerText.includes('calm')")


def test_keys_walk_the_list_and_name_a_label_of_what_is_selected(page, service):
    page.until("document.querySelectorAll('#texts [role=option]').length === 40")
    page.press("t", "ArrowDown", "ArrowDown", "ArrowUp", "Enter")
    page.until("refract.model.open === 't000001'")
    page.press("Escape")
    page.run("refract.model.set({ selection: { ids: ['t000003', 't000005'] } })")
    page.until("!!document.querySelector('#selection .choice')")
    page.press("n")
    page.type("calm")
    page.press("Enter")
    given(page, 2)
    assert service.given == {"t000003": "calm", "t000005": "calm"}
    page.run("refract.model.set({ view: 'base', selection: null })")
    page.press("m")
    page.run("refract.model.set({ view: 'mood' })")
    assert page.run("document.querySelector('#figure-base').hidden") is False
    page.press("v")
    assert page.run("document.activeElement.id") == "tab-versions"


def test_undo_is_of_the_view_at_hand_and_says_what_it_took_back(page, service):
    text = page.run(CARD)
    undo = "document.querySelector('#undo').disabled"
    page.press("1")
    given(page, 1)
    page.until("document.querySelector('#saved').innerText.startsWith('saved in')")
    page.click("#new-view")
    page.type("tone")
    page.press("Enter")
    page.until("refract.model.view === 'tone' && !!document.querySelector('#card .whole')")
    page.until(f"{undo} && document.querySelector('#saved').innerText === ''")
    page.run("document.activeElement.blur()")
    page.press("u")
    page.until(f"{NEWS} === 'there is nothing to undo in tone'")
    assert list(service.given) == [text] and len(service.posted) == 1
    page.run("refract.model.set({ view: 'mood' })")
    page.until(f"refract.model.given.size === 1 && !{undo}")
    page.press("u")
    given(page, 0)
    begins = service.texts.filter(service.texts["id"] == text)["text"][0]
    page.until(f"{NEWS} === {json.dumps(f'mood: “{LABELS[0]}” taken back from “{begins}”')}")
    assert service.given == {}
