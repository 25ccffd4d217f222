import pytest

from flows.run import run
from tests.world import make_model, make_world, set_params


@pytest.fixture(scope="session")
def other(once):
    """The place of another real encoder, of fewer dimensions."""
    return (
        once("other-model", lambda at: make_model(at / "other", dimensions=32, seed=11)) / "other"
    )


@pytest.fixture(scope="session")
def by_other(once, other):
    """A workspace that never had another encoder than the other one."""
    return once("by-other", lambda at: run(make_world(at / "world", str(other)))) / "world"


@pytest.fixture
def begun(made, other):
    """A workspace by the one encoder, in which the other one is to follow."""
    set_params(made, embed={"next": {"model": str(other)}})
    return made
