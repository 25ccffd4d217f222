import shutil

import pytest

from tests.browser import Browser
from tests.exploring import Explored

SOFTWARE = "--enable-unsafe-swiftshader"  # WebGL without a graphics card


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A browser for all tests of a file; where there is none, they are skipped before."""
    with Browser(tmp_path_factory.mktemp("browser"), SOFTWARE) as opened:
        yield opened


@pytest.fixture(scope="module")
def explored(_pooled, tmp_path_factory):
    """A service of a workspace with two views, for all tests of a file: they only look."""
    folder = tmp_path_factory.mktemp("explored")
    served = Explored(shutil.copytree(_pooled, folder / "world"), folder / "log")
    yield served
    served.end()


@pytest.fixture(scope="module")
def apart(_pooled, tmp_path_factory):
    """The same workspace without a service."""
    return shutil.copytree(_pooled, tmp_path_factory.mktemp("apart") / "world")
