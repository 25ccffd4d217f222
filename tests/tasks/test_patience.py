from pathlib import Path

import pytest
from prefect import task
from prefect.testing.utilities import prefect_test_harness

from tasks.core.errors import InputError
from tasks.patience import PASSING, RETRIES
from tasks.repository import RepositoryError


@pytest.fixture(scope="module", autouse=True)
def prefect_server():
    with prefect_test_harness(server_startup_timeout=180):
        yield


def calls_of(errors):
    """Return how often a task runs whose calls end with `errors`, one after the other."""
    calls = []

    def unit():
        calls.append(1)
        if len(calls) <= len(errors):
            raise errors[len(calls) - 1]

    patient = task(**(RETRIES | {"retry_delay_seconds": 0}))(unit)
    patient(return_state=True)
    return len(calls)


@pytest.mark.server
@pytest.mark.parametrize(
    "error",
    [
        RepositoryError("lock"),
        ConnectionResetError(),
        TimeoutError(),
        OSError(min(PASSING), "busy"),
    ],
)
def test_what_passes_by_itself_is_tried_again(error):
    assert calls_of([error]) == 2
    assert calls_of([error] * 9) == 1 + RETRIES["retries"]


@pytest.mark.server
@pytest.mark.parametrize(
    "error", [InputError("bad labels"), FileNotFoundError(str(Path("gone"))), ZeroDivisionError()]
)
def test_a_mistake_is_not_repeated(error):
    assert calls_of([error] * 9) == 1
