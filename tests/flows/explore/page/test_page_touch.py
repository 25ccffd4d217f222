"""The page on a phone: fingers move the map, come nearer, outline and open texts."""

import pytest

from tests.browser import in_browser
from tests.pretended_explore import READY, Pretended, corpus

pytestmark = in_browser
CAMERA = "(({ x, y, zoom }) => [x, y, zoom])(refract.maps.view.camera)"
FIFTH = """(() => {
  const map = refract.maps.view, box = map.over.getBoundingClientRect();
  const [left, top] = map.camera.pixel(map.xy[8], map.xy[9]);
  return [box.x + left, box.y + top];
})()"""


def middle(page):
    x, y, width, height = page.run(
        "(({ x, y, width, height }) => [x, y, width, height])"
        "(document.querySelector('#map-view').getBoundingClientRect())"
    )
    return x + width / 2, y + height / 2


def steps(start, right, down):
    """Return a finger's way of so many pixels from a place."""
    return [(start[0] + right * n / 4, start[1] + down * n / 4) for n in range(5)]


def test_fingers_move_the_map_come_nearer_outline_and_open_a_text_below_it(browser):
    with Pretended(corpus(60)) as service:
        page = browser.open(f"{service.url}/")
        page.run("localStorage.clear()")
        page.be_a_phone()
        page.until(READY)
        assert page.run("scrollY") == 0
        page.touch([page.run(FIFTH)])
        page.until("refract.model.open === 't000004' && !document.querySelector('#detail').hidden")
        page.until("document.querySelectorAll('#neighbours li').length === 8")
        edge = "document.querySelector('#{}').getBoundingClientRect().{}"
        assert page.run(edge.format("detail", "top")) >= page.run(edge.format("map-view", "bottom"))
        assert page.run(edge.format("detail", "bottom")) == page.run("innerHeight")
        assert page.run("refract.model.given.size") == 0
        at = page.run("scrollY")
        page.run("document.querySelector('#close').scrollIntoView({ block: 'nearest' })")
        page.tap("#close")
        page.until("document.querySelector('#detail').hidden")
        assert page.run("scrollY") == at
        here = middle(page)
        page.touch(steps(here, 60, 30))
        x, y, zoom = page.run(CAMERA)
        assert x < -0.1 and y > 0.1 and zoom == 1
        page.touch(steps(here, -60, 0), steps((here[0] + 40, here[1]), 60, 0))
        assert page.run(CAMERA)[2] == pytest.approx(4, rel=0.05)
        assert page.run("[refract.model.open, visualViewport.scale, scrollY]") == [None, 1, at]
        page.tap("#whole")
        page.tap("#lasso")
        (left, top), far = middle(page), 160
        corners = [(-far, -far), (far, -far), (far, far), (-far, far), (-far, -far + 9)]
        page.touch([(left + right, top + down) for right, down in corners])
        page.until("refract.model.selected?.length > 30")
        assert page.run(CAMERA) == [0, 0, 1]
        assert page.faults == []
