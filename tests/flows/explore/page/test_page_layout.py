"""What the page shows in windows of several sizes: nothing covers a control or loses its place."""

from tests.browser import in_browser

pytestmark = in_browser
CONTROLS = "[...document.querySelectorAll('button, input, select, summary, [role=option]')]"
COVERED = f"""((over) => {{
  const box = document.querySelector(over).getBoundingClientRect();
  return {CONTROLS}.filter((one) => one.checkVisibility()).filter((one) => {{
    const at = one.getBoundingClientRect();
    return at.left < box.right && at.right > box.left && at.top < box.bottom && at.bottom > box.top;
  }}).map((one) => one.outerHTML);
}})"""
TALL = "document.querySelector('#map-view').clientHeight"
GREY = "getComputedStyle(document.querySelector('#texts .dot')).backgroundColor"


def test_news_and_the_way_out_of_a_text_cover_no_control(page, service):
    page.run("refract.model.set({ open: 't000003', selection: { ids: ['t000003'] } })")
    page.until("document.querySelectorAll('#neighbours li').length === 8")
    service.tell("fit", view="mood")
    page.until("document.querySelector('#news').innerText === 'mood: fitting …'")
    assert page.run(f"{COVERED}('#news')") == []
    (own,) = (one for one in page.run(f"{COVERED}('#close')") if 'role="option"' not in one)
    assert 'id="close"' in own
    assert page.faults == []


def test_maps_have_room_in_a_low_window_as_in_a_narrow_one(page):
    for width, height in ((844, 390), (720, 450), (390, 844), (1024, 768)):
        page.resize(width, height)
        page.until(f"innerWidth === {width} && {TALL} >= 0.3 * {min(width, height)}")
        assert page.run("document.documentElement.scrollWidth <= innerWidth")


def test_dots_beside_labels_have_the_colours_of_labels_only_where_the_map_has(page):
    coloured = page.run(GREY)
    page.run("refract.model.set({ colour: 'channel' })")
    page.until(f"{GREY} === 'rgb(195, 199, 207)' && {GREY} !== '{coloured}'")
    page.run("refract.model.set({ colour: 'label' })")
    page.until(f"{GREY} === '{coloured}'")
    legend = "document.querySelector('#legend').innerText"
    page.run("refract.model.set({ view: 'base', colour: 'novelty' })")
    page.until(f"{legend} === 'no novelty here: a view has it'")
    page.run("refract.model.set({ colour: 'label' })")
    page.until(f"{legend} === 'no labels yet'")


def test_a_question_that_was_refused_is_forgotten_with_the_next_one(page, service):
    service.broken["/matching"] = "where: found no column 'no'; expected channel or label"
    page.run("refract.model.set({ filter: { condition: \"channel = 'chat'\" } })")
    page.until("!document.querySelector('#error').hidden")
    service.broken.clear()
    page.run("refract.model.set({ filter: {} })")
    assert page.run("document.querySelector('#error').hidden") is True
    page.press("v")
    change = "document.querySelector('#change').innerText"
    page.until(f"{change}.startsWith('This view has one version so far')")
    service.version = 2
    service.tell("version", view="mood", version="view/mood/v2", transform="f2")
    page.until(f"{change}.startsWith('Choose one')")


def test_beside_a_view_stands_what_it_is_without(page, service):
    views = "document.querySelector('#views').innerText"
    assert "without" not in page.run(views)
    service.without, service.version = ["topic", "<b>source</b>"], 2
    service.tell("live", view="mood", version="view/mood/v2", rows=60)
    page.until(f"{views}.includes('without topic, <b>source</b>')")
    chips = "[...document.querySelectorAll('#views .view')].map((one) => one.innerText)"
    assert ["without" in chip for chip in page.run(chips)] == [False, True]
    assert page.faults == []
