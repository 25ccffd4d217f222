import pytest

from tests.strangers import origin, others, strangers, victim

__all__ = ["origin", "others", "strangers", "victim"]


@pytest.fixture(autouse=True)
def _among_strangers(strangers):
    """Whatever is tested here, nobody vouches for it."""
