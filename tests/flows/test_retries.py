"""What the tasks of every flow repeat, and what they do not."""

from pathlib import Path

import pytest
from prefect import flow, task

from tasks.core.workspace.errors import InputError
from tasks.retries import RETRIES, TRANSIENT
from tasks.versioning.run_git_and_dvc import RepositoryError

pytestmark = pytest.mark.server


def calls_of(errors):
    """Return how often a task runs whose calls end with `errors`, one after the other."""
    calls = []

    @task(**(RETRIES | {"retry_delay_seconds": 0}))
    def unit():
        calls.append(1)
        if len(calls) <= len(errors):
            raise errors[len(calls) - 1]

    @flow
    def patient():
        unit(return_state=True)
        return True

    assert patient()
    return len(calls)


@pytest.mark.parametrize(
    "error",
    [
        RepositoryError("lock"),
        ConnectionResetError(),
        TimeoutError(),
        OSError(min(TRANSIENT), "busy"),
    ],
)
def test_what_passes_by_itself_is_tried_again(error):
    assert calls_of([error]) == 2
    assert calls_of([error] * 9) == 1 + RETRIES["retries"]


@pytest.mark.parametrize(
    "error", [InputError("bad labels"), FileNotFoundError(str(Path("gone"))), ZeroDivisionError()]
)
def test_a_mistake_is_not_repeated(error):
    assert calls_of([error] * 9) == 1
