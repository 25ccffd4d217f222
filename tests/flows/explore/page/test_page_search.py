"""A search by several views at once, as the page asks for it, says it and shares it."""

from tests.browser import in_browser
from tests.pretended_explore import LABELS, READY

pytestmark = in_browser
HEAD = "document.querySelector('#total').innerText"
ERROR = "document.querySelector('#error').innerText"
WEIGHT = "document.querySelector('#also-views output').value"


def searches(service):
    return [one.partition("?")[2] for one in service.seen if "/search?" in one]


def test_views_are_added_by_keys_and_the_list_the_service_and_the_link_know_them(
    browser, page, service
):
    assert page.run("document.querySelector('#also-views').checkVisibility()") is False
    page.press("/")
    page.type("glad")
    page.press("Enter")
    page.until(f"{HEAD}.includes(' nearest in mood, ')")
    page.press("Tab", "Enter", "Tab", " ")
    page.until(f"{HEAD}.includes(' nearest in mood and base, ')")
    page.press("Tab", "ArrowRight")
    page.until(f"{HEAD}.includes(' nearest in mood and base × 1.25, ')")
    assert page.run(WEIGHT) == "× 1.25"
    label = page.run("document.querySelector('#texts').ariaLabel")
    assert "nearest in mood and base × 1.25" in label
    asked = ["q=glad&k=100", "q=glad&k=100&view=base%3A1", "q=glad&k=100&view=base%3A1.25"]
    assert searches(service) == asked
    page.press("Escape")
    assert page.run("document.activeElement.innerText").startswith("also by")
    assert page.run("[document.querySelector('#also').open, refract.model.query]") == [
        False,
        "glad",
    ]
    again = browser.open(f"{service.url}/{page.run('location.hash')}", 1280, 860)
    again.until(f"{READY} && {HEAD}.includes(' nearest in mood and base × 1.25, ')")
    assert searches(service)[-1] == asked[-1]
    again.click("#also summary")
    again.click("#also input")
    again.until(f"{HEAD}.includes(' nearest in mood, ')")
    assert "also" not in again.run("location.hash")
    again.click("#query")
    assert again.run("document.querySelector('#also').open") is False
    assert page.faults == again.faults == []


def test_a_search_is_asked_again_once_a_view_that_ranks_beside_is_learnt_anew(page, service):
    page.run("refract.model.set({ view: 'base', also: { mood: 0.5 }, query: 'glad' })")
    page.until(f"{HEAD}.includes(' nearest in base and mood × 0.5, ')")
    service.version = 2
    service.tell("live", view="mood", version="view/mood/v2", transform="f2", rows=60)
    page.until("refract.model.views.get('mood').transform === 'f2'")
    page.until(
        "performance.getEntriesByType('resource').filter((one) =>"
        " one.name.includes('/search?') && one.name.includes('mood')).length === 2"
    )
    page.run("refract.model.set({ view: 'mood' })")
    page.until(f"{HEAD}.includes(' nearest in mood, ')")


def test_a_link_to_a_view_that_there_is_not_says_so(page, service):
    page.go(f"{service.url}/?again#view=gone")
    page.until(READY)
    line = "the address: found the view {}; expected one of base, mood; it is left out"
    assert page.run(ERROR).startswith(line.format("gone"))
    assert page.run("refract.model.view") == "mood"
    page.run("""location.hash = 'query=glad&also={"lost":1,"base":2}'""")
    page.until(f"{ERROR}.startsWith('{line.format('lost')}')")
    page.until(f"{HEAD}.includes(' nearest in mood and base × 2, ')")
    for value in ("[1]", '{"base":0}', '{"base":"1"}'):
        page.run(f"location.hash = 'also={value}'")
        page.until(f"{ERROR}.startsWith('the address: found also={value}; expected views with ')")
    assert page.faults == []


def test_the_example_of_a_condition_is_one_that_texts_of_the_view_fit(page, service):
    page.run("document.querySelector('#filter').open = true")
    page.until("!!document.querySelector('#condition')")
    example = page.run("document.querySelector('#condition').placeholder")
    assert example in {f"label = '{label}' AND confidence > 0.8" for label in LABELS}
    page.run(f'refract.model.set({{ filter: {{ condition: "{example}" }} }})')
    page.until(f"{HEAD}.includes(' fit the filter')")
    assert page.run("document.querySelectorAll('#texts [role=option]').length") > 0
    page.run("refract.model.set({ view: 'base', filter: {} })")
    page.until("document.querySelector('#condition').placeholder.startsWith('\"channel\" = ')")
    assert page.faults == []
