"""What is selected stays what it was, whatever is fitted, published or filtered meanwhile."""

import json
from urllib.parse import unquote

import pytest

from tests.browser import in_browser
from tests.pretended_explore import READY, Pretended, corpus

pytestmark = in_browser
NEWS = "document.querySelector('#news').textContent"
SELECTED = "document.querySelector('#selection').innerText"


@pytest.fixture
def service():
    with Pretended(corpus(300)) as started:
        yield started


@pytest.fixture
def page(browser, service):
    opened = browser.open(f"{service.url}/", 1280, 860)
    opened.run("localStorage.clear()")
    opened.until(READY)
    opened.until("document.querySelector('#total').innerText === '300 texts'")
    yield opened
    opened.run("localStorage.clear()")


def place(page, x, y):
    """Return the pixel of a place, each coordinate in [-1, 1], on the map of the view."""
    return page.run(
        "(() => { const m = refract.maps.view, b = m.over.getBoundingClientRect();"
        f" const [x, y] = m.camera.pixel({x}, {y}); return [b.x + x, b.y + y]; }})()"
    )


def lasso(page):
    """Draw around the right half of the map of the view, and return the ids of what is there."""
    page.until("refract.maps.view.moving === false")
    corners = [(0, -1), (1, -1), (1, 1), (0, 1), (0, -0.9)]
    page.drag([place(page, *corner) for corner in corners], shift=True)
    page.until("refract.model.selected?.length > 100")
    assert "outline" in unquote(page.run("location.hash"))
    return page.run("Array.from(refract.model.selected, (row) => refract.model.points.id(row))")


def published(page, service):
    """Publish another version, whose map is turned, and wait until it is drawn."""
    service.version += 1
    version = f"view/mood/v{service.version}"
    service.tell("live", view="mood", version=version, transform=f"f{service.version}", rows=300)
    page.until(f"refract.model.points.transform === 'f{service.version}'")


def test_a_lasso_labels_what_was_in_it_when_it_was_drawn_after_the_map_has_moved(page, service):
    ids = lasso(page)
    assert len(ids) < 300
    published(page, service)
    published(page, service)
    assert page.run(SELECTED).startswith(f"{len(ids)} texts selected")
    page.click("#selection .give")
    page.until(f"refract.model.given.size === {len(ids)} && refract.model.unsaved() === false")
    assert sorted(service.given) == sorted(ids)


def test_all_that_a_filter_has_stay_selected_when_a_new_version_reads_them_otherwise(page, service):
    page.run("refract.model.set({ filter: { labels: ['glad'] } })")
    page.until("!document.querySelector('#select').hidden")
    page.click("#select")
    glad = service.texts.filter(service.texts["label"] == "glad")["id"].to_list()
    page.until(f"{SELECTED}.startsWith('{len(glad)} texts selected')")
    swapped = {"glad": "angry", "angry": "glad"}
    service.texts = service.texts.with_columns(label=service.texts["label"].replace(swapped))
    published(page, service)
    page.until(f"refract.model.rows.filter(Boolean).length !== {len(glad)}")
    assert page.run(SELECTED).startswith(f"{len(glad)} texts selected")
    page.click("#selection .give")
    page.until(f"refract.model.given.size === {len(glad)} && refract.model.unsaved() === false")
    assert sorted(service.given) == sorted(glad)


def test_another_filter_puts_a_selection_away(page):
    lasso(page)
    page.run("refract.model.set({ filter: { labels: ['glad'] } })")
    page.until("refract.model.rows && document.querySelector('#selection').hidden")
    assert page.run("refract.model.selection") is None


def test_a_link_says_that_it_holds_an_outline_and_what_that_encloses(browser, service, page):
    ids = lasso(page)
    page.click("#share")
    page.until(f"{NEWS}.includes('of the {len(ids)} texts selected it holds the outline')")
    link = page.run("location.hash")
    service.version += 1
    again = browser.open(f"{service.url}/{link}", 1280, 860)
    again.until("refract.model.selected !== null")
    many = again.run("refract.model.selected.length")
    said = "the address holds an outline: on the map as it is now it encloses"
    again.until(f"{NEWS}.startsWith({json.dumps(said)})")
    assert f"encloses {many} text" in again.run(NEWS)
    assert again.run(SELECTED).startswith(f"{many} text")


def test_the_keys_beside_the_labels_of_a_selection_are_those_that_give_them(page, service):
    page.run("refract.model.set({ selection: { ids: ['t000003', 't000005'] } })")
    page.until("document.querySelector('#selection kbd')?.textContent === 'Shift+1'")
    page.run(
        "document.body.dispatchEvent(new KeyboardEvent('keydown',"
        " { key: '!', code: 'Digit1', shiftKey: true, bubbles: true }))"
    )
    page.until("refract.model.given.size === 2 && refract.model.unsaved() === false")
    assert service.given == {"t000003": "angry", "t000005": "angry"}
