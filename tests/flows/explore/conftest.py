import shutil

import pytest

from tests.exploring import Explored


@pytest.fixture(scope="module")
def explored(_made, tmp_path_factory):
    """A service of a workspace with two views, for all tests of a file: they only look."""
    folder = tmp_path_factory.mktemp("explored")
    served = Explored(shutil.copytree(_made, folder / "world"), folder / "log")
    yield served
    served.end()
