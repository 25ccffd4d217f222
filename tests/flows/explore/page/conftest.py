import pytest

from tests.pretended_explore import READY, Pretended, corpus


@pytest.fixture
def service():
    """A service of 60 texts that is told what to answer."""
    with Pretended(corpus(60)) as started:
        yield started


@pytest.fixture
def page(browser, service):
    """Its page with map and list, in a browser that has kept nothing of another."""
    opened = browser.open(f"{service.url}/", 1280, 860)
    opened.run("localStorage.clear()")
    opened.until(f"{READY} && document.querySelector('#total').innerText === '60 texts'")
    yield opened
    opened.run("localStorage.clear()")
