"""What the page makes of answers that are late or refused, and of broken links and notes."""

import json
import time
from urllib.parse import urlencode

from tests.browser import PATIENCE, in_browser
from tests.pretended_explore import READY

pytestmark = in_browser
LISTED = "document.querySelector('#total').innerText"
ERROR = "document.querySelector('#error').innerText"
OFFERED = "!document.querySelector('#select').hidden"


def asked(service, part):
    """Wait until the service was asked for something."""
    last = time.monotonic() + PATIENCE
    while not any(part in one for one in service.seen):
        assert time.monotonic() < last, service.seen
        time.sleep(0.02)


def channel(name):
    return f"filter: {{ columns: {{ channel: {{ values: ['{name}'] }} }} }}"


def test_all_are_selected_only_once_the_map_knows_which_the_filter_has(page, service):
    service.held.add("/matching")
    page.run(f"refract.model.set({{ {channel('email')} }})")
    page.until(f"{LISTED} === '20 texts of 60 fit the filter'")
    asked(service, "/matching")
    assert page.run(OFFERED) is False
    service.held.clear()
    page.until(OFFERED)
    page.click("#select")
    page.until("document.querySelector('#selection').innerText.startsWith('20 texts selected')")
    rows = page.run("[...refract.model.selected]")
    assert set(service.texts["channel"].gather(rows)) == {"email"}
    page.run(f"refract.model.set({{ {channel('phone')} }})")
    assert page.run("refract.model.selected") is None


def test_a_late_answer_does_not_take_the_place_of_a_newer_one(page, service):
    service.held.add("q=glad")
    page.run("refract.model.set({ query: 'glad' })")
    asked(service, "q=glad")
    page.run("refract.model.set({ query: 'text 5' })")
    newer = [f"t{n:06}" for n in (5, *range(50, 60))]
    page.until(f"{LISTED}.startsWith('11 nearest in mood') && refract.model.hits")
    assert page.run("refract.model.hits") == newer
    service.held.clear()
    came = "performance.getEntriesByType('resource').map((one) => one.name)"
    page.until(f"{came}.some((name) => name.endsWith('q=glad&k=100'))")
    page.run("fetch('/views').then((reply) => reply.json())")
    assert page.run("refract.model.hits") == newer
    assert page.run(LISTED).startswith("11 nearest in mood")


def test_an_error_of_the_service_is_its_own_line(page, service):
    service.broken["/matching"] = "where: found no column 'no'; expected channel or label"
    page.run(f"refract.model.set({{ {channel('email')} }})")
    page.until("!document.querySelector('#error').hidden")
    said = page.run("document.querySelector('#error span').innerText")
    assert said == service.broken["/matching"]
    assert page.run(OFFERED) is False


def test_a_map_of_the_base_that_failed_is_asked_for_again(page, service):
    service.broken["/views/base/points"] = "base: found no map; expected one"
    page.go(f"{service.url}/?again")
    page.until(f"{READY} && {ERROR}.startsWith('base: found no map; expected one')")
    assert page.run("refract.model.base") is None
    service.broken.clear()
    page.run("refract.model.set({ view: 'base' })")
    page.until("refract.model.base?.count === 60 && refract.model.points === refract.model.base")


def test_a_page_whose_events_were_refused_says_so_and_asks_again(page, service):
    asked(service, "/events")
    service.deaf = True
    page.until(f"{ERROR}.includes('refuses to tell this page')")
    views = sum(one.startswith("/views?") for one in service.seen)
    service.deaf = False
    page.until("document.querySelector('#error').hidden")
    while sum(one.startswith("/views?") for one in service.seen) == views:
        time.sleep(0.02)
    page.run("fetch('/views').then((reply) => reply.json())")  # what it asked for has come by then
    service.tell("fit", view="mood")
    page.until("!!document.querySelector('.view.fitting')")


def test_what_a_link_cannot_mean_is_left_out_and_told(page, service):
    listing = {key: ["zzz"] for key in ("version", "panel", "maps", "sort")}
    listing["filter"] = ["null", "[]", '{"labels": "x"}', '{"columns": {"c": null}}', "{"]
    listing["selection"] = ["[]", '{"ids": 5}', '{"all": true, "of": "x"}', '{"outline": [1]}']
    now = f"[{', '.join(f'refract.model.{key}' for key in listing)}]"
    usual = page.run(now)
    page.go(f"{service.url}/?again#{urlencode({key: found[0] for key, found in listing.items()})}")
    page.until(READY)
    assert page.run(now) == usual
    for key, values in listing.items():
        for value in values:
            page.run(f"location.hash = {json.dumps(urlencode({key: value}))}")
            page.until(f"{ERROR}.startsWith({json.dumps(f'the address: found {key}={value}; ')})")
            assert page.run(now) == usual
    assert page.faults == []


def test_a_broken_note_of_the_browser_is_taken_out_and_told(page, service):
    for name, value in (("refract.here.outbox.x", "{broken"), ("refract.here.order.mood", "7")):
        page.run(f"localStorage.setItem({json.dumps(name)}, {json.dumps(value)})")
        page.go(f"{service.url}/?{name}")
        page.until(READY)
        assert page.run(ERROR).startswith(f"{name}: this browser had kept {value}, which ")
        assert page.run(f"localStorage.getItem({json.dumps(name)})") != value
    assert service.posted == [] and page.faults == []
