"""The page of `refract explore`, driven as a person would, in a headless browser."""

import itertools
import json
from urllib.parse import urlsplit

import polars as pl
import pytest

from tests.browser import in_browser
from tests.pretended_explore import LABELS, Pretended, corpus, refusal

pytestmark = in_browser
EVIL = "<img src=x onerror='window.harm=1'><script>window.harm=1</script>"
PIXELS = """(({ gl, canvas }) => {
  const found = new Uint8Array(4 * canvas.width * canvas.height);
  gl.readPixels(0, 0, canvas.width, canvas.height, gl.RGBA, gl.UNSIGNED_BYTE, found);
  return found.filter((value, n) => n % 4 === 3 && value > 0).length;
})"""
COUNTS = f"""(() => {{
  const {{ renderer }} = refract.maps.view, {{ draw }} = renderer;
  globalThis.drawn = [];
  renderer.draw = function (frame) {{
    draw.call(this, frame);
    drawn.push([frame.share, {PIXELS}(this)]);
  }};
}})()"""


@pytest.fixture
def service():
    with Pretended(corpus(300)) as started:
        yield started


def open_page(browser, service, said="", width=1280, height=860):
    page = browser.open(f"{service.url}/{said}", width, height)
    page.run("localStorage.clear()")
    return ready(page)


def ready(page):
    page.until("document.documentElement.dataset.ready === 'true'")
    page.until("!!document.querySelector('#texts [role=option]') && !!refract.model.paint")
    return page


def shown(page, selector):
    return page.run(f"document.querySelector({json.dumps(selector)}).innerText")


def place(page, of, x, y):
    """Return the pixel of a place, each coordinate in [-1, 1], on a map."""
    return page.run(
        f"(() => {{ const m = refract.maps.{of}, b = m.over.getBoundingClientRect();"
        f" const [x, y] = m.camera.pixel({x}, {y}); return [b.x + x, b.y + y]; }})()"
    )


def around(page, of="view"):
    """Return a way around the whole map."""
    corners = [(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, -0.9)]
    return [place(page, of, *corner) for corner in corners]


def drawn(page):
    """Draw as where little can be in time; return share and pixels of the first and last frame."""
    slow = "((map) => { map._share = 0.05; map._last = NaN; map._draw(); })(refract.maps.view)"
    page.run(f"{COUNTS}, {slow}")
    page.until("drawn.at(-1)[0] === 1")
    return page.run("[drawn[0], drawn.at(-1)]")


def own(page, service):
    """Assert that nothing was asked of others, and that the console has no error."""
    page.run("1")
    assert {urlsplit(url).netloc for url in page.asked} == {urlsplit(service.url).netloc}
    assert page.faults == []


def test_fifty_thousand_points_are_drawn_and_nothing_is_asked_of_others(browser):
    with Pretended(corpus(50_000)) as service:
        page = open_page(browser, service)
        page.until("Object.values(refract.maps).every((m) => m.renderer.count === 50_000)")
        (share, some), (last, whole) = drawn(page)
        assert (share, last) == (0.05, 1)
        assert some < 0.5 * whole and whole > 5_000
        page.until("document.querySelector('#total').innerText === '50,000 texts'")
        page.run("refract.model.set({ view: 'base' })")
        page.until("refract.model.points.name === 'base' && !refract.maps.view.moving")
        page.until("drawn.at(-1)[0] === 1 && drawn.at(-1)[1] > 5_000")
        own(page, service)


def test_a_search_lists_what_is_near_and_lights_it_up_on_the_map(browser, service):
    page = open_page(browser, service)
    page.click("#query")
    page.type("glad")
    page.press("Enter")
    page.until("document.querySelector('#total').innerText.includes('nearest in mood')")
    page.until("refract.model.found?.length > 0")
    assert page.run("[...document.querySelectorAll('#texts .head b')].map((b) => b.innerText)") == [
        "glad"
    ] * page.run("document.querySelectorAll('#texts [role=option]').length")
    figures = page.run("document.querySelector('#texts .sure').title")
    assert figures.startswith("how near") and figures.endswith("how sure the view is of the label")
    assert page.run("document.querySelector('#total').innerText").endswith("how sure its label is")
    assert "(70 to 93)" in page.run("document.querySelector('#scores').innerText")
    lit = page.run("refract.maps.view._kept.layers.filter((layer) => layer === 3).length")
    assert lit == page.run("refract.model.found.length")
    assert "query=glad" in page.run("location.hash")
    own(page, service)


def test_what_the_gate_found_is_said_at_a_click_with_what_is_sure_all_the_same(browser, service):
    why, beyond = "52 % of 143 texts left out get their label", "of all texts about 75 % do"
    service.gate = {"state": "unproven", "why": why, "beyond": beyond}
    page = open_page(browser, service)
    assert shown(page, ".gate") == "unproven, yet better than one label for all"
    page.click(".gate")
    said = page.run("document.querySelector('#news').textContent")
    assert said.startswith(f"unproven: {why}. ") and "drawn at random" in said
    assert said.endswith(f"All the same, {beyond}")
    service.gate = {"state": "unproven", "why": why}
    again = open_page(browser, service)
    assert shown(again, ".gate") == "unproven"
    assert "All the same" not in again.run("document.querySelector('.gate').title")
    own(page, service)


def test_a_filter_of_the_form_and_of_the_legend_is_a_condition(browser, service):
    page = open_page(browser, service)
    page.run("document.querySelector('#filter').open = true")
    page.until("!!document.querySelector('#is-channel-0')")
    page.click("#is-channel-0")
    page.until("refract.model.rows")
    kept = page.run("refract.model.rows.filter(Boolean).length")
    assert kept == 100
    page.until("document.querySelector('#total').innerText === '100 texts of 300 fit the filter'")
    page.click("#legend button")
    page.until(f"refract.model.rows.filter(Boolean).length < {kept}")
    assert page.run("refract.model.filter.labels") == [LABELS[0]]
    page.click("#clear")
    page.until("refract.model.rows === null")
    own(page, service)


def test_what_a_lasso_selects_is_labelled_at_once_and_undone_at_once(browser, service):
    page = open_page(browser, service)
    page.drag(around(page), shift=True)
    page.until("document.querySelector('#selection').innerText.startsWith('300 texts selected')")
    assert "outline" in page.run("decodeURIComponent(location.hash)")
    page.click("#selection .give")
    page.until("refract.model.given.size === 300")
    page.until("refract.model.unsaved() === false")
    assert set(service.given.values()) == {LABELS[0]}
    assert len(service.posted[0]["rows"]) == 300
    page.press("u")
    page.until("refract.model.given.size === 0")
    page.until("refract.model.unsaved() === false")
    assert service.given == {}
    own(page, service)


def test_ten_texts_are_labelled_by_keys_and_the_new_version_arrives(browser, service):
    page = open_page(browser, service)
    page.press("l")
    page.until("!!document.querySelector('#card .whole')")
    for n in range(10):
        before = shown(page, "#card .id")
        page.press(str(n % 3 + 1))
        page.until(f"document.querySelector('#card .id').innerText !== {json.dumps(before)}")
    page.until("refract.model.unsaved() === false")
    assert [row["label"] for post in service.posted for row in post["rows"]] == [
        *itertools.islice(itertools.cycle(LABELS), 10)
    ]
    assert len({post["key"] for post in service.posted}) == 10
    assert shown(page, "#progress").startswith("10 of 300 texts labelled")
    places = page.run("refract.model.points.xy.slice(0, 4)")
    service.tell("fit", view="mood")
    page.until("!!document.querySelector('.view.fitting')")
    service.version = 2
    service.tell("live", view="mood", version="view/mood/v2", transform="f2", rows=300)
    page.until("refract.model.points.transform === 'f2'")
    assert page.run("refract.model.points.xy.slice(0, 4)") != places
    page.until("document.querySelector('#news').innerText.includes('82 % right (70 to 93)')")
    page.until("!!document.querySelector('.spark')")
    service.tell("fit", view="mood")
    page.until("!!document.querySelector('.view.fitting')")
    service.tell("fitted", view="mood")
    page.until("!document.querySelector('.view.fitting')")
    own(page, service)


def test_labels_are_sent_again_with_the_same_key_until_the_service_has_them(browser, service):
    page = open_page(browser, service, "#panel=label")
    page.until("!!document.querySelector('#card .whole')")
    service.refuse = lambda _: refusal(503, "busy") if len(service.posted) < 2 else None
    page.press("1")
    page.until("refract.model.given.size === 1")
    page.until("refract.model.unsaved() === false")
    assert len({post["key"] for post in service.posted}) == 1
    assert len(service.posted) == 2
    assert len(service.given) == 1


def test_a_label_keeps_its_key_and_colour_when_the_page_is_opened_again(browser, service):
    names = "[...document.querySelectorAll('#card button')].map((b) => b.innerText).join()"
    page = open_page(browser, service, "#panel=label")
    page.until("!!document.querySelector('#card .whole')")
    first = page.run(names)
    backwards = json.dumps(json.dumps(LABELS[::-1]))
    page.run(f"localStorage.setItem('refract.here.order.mood', {backwards})")
    page.run("location.reload()")
    page.until(f"!!document.querySelector('#card .whole') && {names} !== {json.dumps(first)}")
    assert [one.split()[-1] for one in page.run(names).split(",")] == LABELS[::-1]


def test_labels_of_a_page_that_is_signed_out_are_kept_until_it_is_signed_in(browser, service):
    page = open_page(browser, service, "#panel=label")
    page.until("!!document.querySelector('#card .whole')")
    signed_out = True
    service.refuse = lambda _: refusal(401, "token") if signed_out else None
    page.press("1", "2")
    page.until("refract.model.given.size === 2")
    page.until("document.body.innerText.includes('not signed in any more')")
    assert shown(page, "#saved") == "2 not saved yet …"
    signed_out = False
    page.until("refract.model.unsaved() === false")
    assert len(service.given) == 2


def test_a_label_that_is_refused_is_taken_back_and_the_line_says_why(browser, service):
    page = open_page(browser, service, "#panel=label")
    page.until("!!document.querySelector('#card .whole')")
    service.refuse = lambda _: refusal(400, "label: found none of yours; expected another")
    page.press("1")
    page.until("!document.querySelector('#error').hidden")
    assert "found none of yours" in shown(page, "#error")
    assert page.run("refract.model.given.size") == 0


def test_the_list_the_label_and_the_way_back_need_no_pointer(browser, service):
    page = open_page(browser, service)
    page.press("Tab")
    assert page.run("document.activeElement.className") == "skip"
    page.press("Enter")
    page.until("document.activeElement.id === 'texts'")
    page.press("ArrowDown", "ArrowDown")
    active = page.run(
        "document.querySelector('#texts').getAttribute('aria-activedescendant')"
        " === document.querySelector('#texts [aria-selected=true]').id"
    )
    assert active
    listed = page.run("refract.model.hovered")
    assert page.run("refract.maps.view.marks.hovered") == int(listed.removeprefix("t"))
    page.press("Enter")
    page.until("!document.querySelector('#detail').hidden")
    page.until("document.querySelectorAll('#neighbours li').length === 8")
    page.press("2")
    page.until("refract.model.unsaved() === false")
    assert service.given == {listed: LABELS[1]}
    page.press("Escape")
    page.until("document.querySelector('#detail').hidden")
    assert page.run("document.activeElement.id") == "texts"
    page.press("?")
    page.until("document.querySelector('#help').open")
    own(page, service)


def test_a_link_opens_what_it_was_made_of(browser, service):
    page = open_page(browser, service)
    page.run(
        "refract.model.set({ filter: { columns: { channel: { values: ['email'] } } },"
        " colour: 'channel', open: 't000004', maps: 'one', selection: { ids: ['t000004'] } })"
    )
    page.until("refract.model.rows && location.hash.includes('open')")
    again = open_page(browser, service, page.run("location.hash"))
    again.until("refract.model.rows?.filter(Boolean).length === 100")
    again.until("!document.querySelector('#detail').hidden")
    again.until("document.querySelector('#selection').innerText.startsWith('1 text selected')")
    assert again.run("document.querySelector('#colour').value") == "channel"
    assert again.run("document.querySelector('#figure-base').hidden")


def test_script_in_texts_labels_ids_and_metadata_stays_text(browser):
    name = EVIL.replace("harm", "other")
    texts = corpus(60).with_columns(
        id=pl.format("{}{}", pl.lit(EVIL), "id"),
        text=pl.lit(EVIL),
        label=pl.when(pl.col("label") == "glad").then(pl.lit(EVIL)).otherwise(pl.lit(name)),
        channel=pl.lit(EVIL),
    )
    with Pretended(texts.sort("id")) as service:
        service.given = {texts["id"][0]: EVIL}
        page = open_page(browser, service)
        page.run("document.querySelector('#filter').open = true")
        page.until("document.querySelector('#facets').innerText.includes('<script>')")
        page.run("refract.model.set({ open: refract.model.points.id(0), colour: 'channel' })")
        page.until("document.querySelector('#neighbours').innerText.includes('<img')")
        page.point(*place(page, "view", *page.run("[...refract.model.points.xy.slice(0, 2)]")))
        page.until("document.querySelector('#tip').innerText.includes('<script>')")
        page.press("l")
        page.until("document.querySelector('#card').innerText.includes('<script>')")
        service.tell("failed", view="mood", why=EVIL)
        page.until("document.querySelector('#error').innerText.includes('<script>')")
        assert page.run("[window.harm, window.other, document.images.length]") == [None, None, 1]
        assert page.run("document.body.querySelectorAll('script').length") == 0
        own(page, service)


def test_the_page_is_dark_for_who_prefers_it_and_light_at_a_click(browser, service):
    page = open_page(browser, service)
    page.prefer("prefers-color-scheme", "dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    page.until(f"{ground} === 'rgb(16, 18, 22)'")
    page.click("#scheme")
    assert page.run(ground) == "rgb(246, 247, 249)"
    page.go(f"{service.url}/?again")
    ready(page)
    assert page.run(ground) == "rgb(246, 247, 249)"
    page.run("localStorage.clear()")


def test_on_a_phone_the_map_is_above_the_list_and_nothing_sticks_out(browser, service):
    page = open_page(browser, service, width=390, height=844)
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    below = "document.querySelector('#texts').getBoundingClientRect().top"
    assert page.run(f"{below} > document.querySelector('#map-view').getBoundingClientRect().bottom")
    assert drawn(page)[-1][1] > 300
    assert page.run("document.querySelector('#figure-base').offsetParent === null")
    own(page, service)
