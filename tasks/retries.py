"""Which failures of a task are worth another try: those that pass by themselves."""

from __future__ import annotations

import errno
from typing import Any

from tasks.core.workspace.exhaustion import exhausted
from tasks.versioning.run_git_and_dvc import RepositoryError

TRANSIENT = {errno.EAGAIN, errno.EBUSY, errno.EIO, errno.ESTALE, errno.ETIMEDOUT}


def may_pass(task: Any, run: Any, state: Any) -> bool:
    """Tell a lock, a time-out or a busy store from a mistake, which a repetition only repeats."""
    error = state.result(raise_on_failure=False)
    if isinstance(error, RepositoryError) and exhausted(error) is not None:
        return False  # a full disk stays full
    if isinstance(error, RepositoryError | ConnectionError | TimeoutError):
        return True
    return isinstance(error, OSError) and error.errno in TRANSIENT


# Three more tries over three quarters of a minute; `reconcile` is there for what takes longer.
RETRIES: dict[str, Any] = {
    "retries": 3,
    "retry_delay_seconds": [2, 10, 30],
    "retry_jitter_factor": 0.5,
    "retry_condition_fn": may_pass,
}
