"""What the maps show of versions and of another corpus, and how they are drawn and selected on."""

import polars as pl
import pytest

from tests.browser import Browser, in_browser
from tests.pretended_explore import LABELS, READY, Pretended, corpus

pytestmark = in_browser
CHANGE = "document.querySelector('#change').innerText"
REST = 9  # the palette entry of what has no label


@pytest.fixture
def service():
    with Pretended(corpus(60)) as started:
        started.version = 2
        for key, label in started.texts.select("id", "label")[[3, 7]].iter_rows():
            started.moved[key] = LABELS[LABELS.index(label) - 1]
        yield started


def compares(page):
    """Wait until the comparison is shown: its sentence, list, arrows, and texts lit up."""
    page.until(f"{CHANGE}.startsWith('2 texts of 60 changed their label since v1; of ten ')")
    page.until("document.querySelectorAll('#moved [role=option]').length === 2")
    page.until("refract.maps.view.marks.arrows.length === 2")
    assert page.run("[...refract.model.found]") == [3, 7]
    assert page.run("document.querySelector('#versions [aria-pressed=true]').value") == "v1"


def test_a_comparison_is_shown_shared_and_put_away(browser, service, page):
    page.run("refract.model.set({ query: 'glad' })")
    page.until("refract.model.found?.length > 2")
    found = page.run("[...refract.model.found]")
    page.press("v")
    page.until(f"{CHANGE}.startsWith('Choose one')")
    page.click("#versions [value=v1]")
    compares(page)
    service.version = 3
    service.tell("version", view="mood", version="view/mood/v3", transform="f3")
    page.until("document.querySelector('#versions [value=v3]')?.disabled")
    compares(page)
    assert "version=v1&" in page.run("location.hash")
    again = browser.open(f"{service.url}/{page.run('location.hash')}", 1280, 860)
    again.until(READY)
    compares(again)
    again.run("location.hash = location.hash.replace('v1', 'v7')")
    again.until("!document.querySelector('#error').hidden")
    assert "expected one that 'Versions' lists (v3, v2, v1)" in again.run("document.body.innerText")
    assert "version=" not in again.run("location.hash")
    page.press("t")
    page.until("refract.maps.view.marks.arrows.length === 0")
    assert page.run("[...refract.model.found]") == found
    page.press("v")
    compares(page)
    assert page.faults == again.faults == []


def test_an_outline_selects_what_it_encloses_however_near(page):
    page.run(
        "(() => { const m = refract.maps.view; [m.camera.x, m.camera.y] = m.xy.slice(6, 8);"
        " m.camera.zoom = 300; m.ask(); })()"
    )
    x, y = page.run(
        "(() => { const { camera, over } = refract.maps.view, b = over.getBoundingClientRect();"
        " const [x, y] = camera.pixel(camera.x, camera.y); return [b.x + x, b.y + y]; })()"
    )
    around = [(-12, -12), (12, -12), (12, 12), (-12, 12), (-12, -10)]
    page.drag([(x + right, y + down) for right, down in around], shift=True)
    page.until("refract.model.selected?.includes(3)")


def test_the_base_map_keeps_the_colours_of_its_texts_where_another_corpus_came(page, service):
    page.until("!!refract.model.base")
    ids, labels = (service.texts[name].to_list() for name in ("id", "label"))
    came = service.texts[:1].with_columns(id=pl.lit("t000060"))
    service.texts = pl.concat([service.texts.filter(pl.col("id") != "t000020"), came])
    service.made, service.version = "d", 3
    service.tell("live", view="mood", version="view/mood/v3", transform="f3", rows=60)
    page.until("refract.model.points.transform === 'f3'")
    page.until("refract.maps.view._kept.codes === refract.model.paint.codes")
    codes = dict(zip(ids, page.run("[...refract.maps.base._kept.codes]"), strict=True))
    assert codes.pop("t000020") == REST
    assert codes == {
        key: LABELS.index(label) for key, label in zip(ids, labels, strict=True) if key in codes
    }


def making(page, side):
    """Return what is said on a map: to all, and to those alone who see it."""
    parts = f"[...document.querySelector('#making-{side}').children].map((e) => e.textContent)"
    return page.run(parts)


def test_a_map_that_is_not_there_yet_says_so_until_it_is_or_cannot_be_had(browser, service):
    service.held.add("/base/points")
    page = browser.open(f"{service.url}/#view=base", 1280, 860)
    page.until(
        "document.querySelector('#making-view').innerText === 'fetching the map of 60 texts …'"
    )
    assert page.run("document.querySelector('#making-view').ariaLive") == "polite"
    service.held.clear()
    page.until(READY)
    assert making(page, "view") == making(page, "base") == ["", ""]
    service.broken["/mood/points"] = "map of mood: no; ask again"
    page.run("refract.model.set({ view: 'mood' })")
    page.until("document.querySelector('#error').innerText.includes('map of mood: no')")
    assert making(page, "view") == ["", ""]
    assert not page.run("document.querySelector('#figure-view').classList.contains('waits')")


def test_the_first_map_of_a_corpus_is_told_while_it_is_made(browser, explored):
    page = browser.open(f"{explored.url}/?token={explored.token}#view=base", 1280, 860)
    page.until(
        "document.querySelector('#making-view').innerText.startsWith('making the map of 72')"
    )
    page.until("refract.model.points?.name === 'base'")
    assert making(page, "view") == ["", ""]
    page.until("refract.maps.view.renderer.count === 72")


def test_without_webgl_the_list_has_every_text_and_no_button_is_for_the_maps(tmp_path, service):
    with Browser(tmp_path / "plain", "--disable-3d-apis") as plain:
        page = plain.open(f"{service.url}/", 1280, 860)
        page.until("document.querySelector('#total').innerText === '60 texts'")
        assert "WebGL" in page.run("document.querySelector('#error').innerText")
        seen = "[...document.querySelectorAll('button')].filter((b) => b.checkVisibility())"
        assert not {"two", "lasso", "whole"} & set(page.run(f"{seen}.map((b) => b.id)"))
        assert not page.run("document.querySelector('#maps').checkVisibility()")
        page.press("v", "t")
        page.run("document.querySelector('#texts').focus()")
        page.press("ArrowDown", "Enter")
        page.until("document.querySelector('#about').innerText.includes('t000001')")
