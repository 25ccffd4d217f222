"""Work on the workers of a Dask cluster, and what goes wrong there."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

from prefect import task

from flows.engine import choosing
from tasks.embed import embed_shard
from tests.world import documents

MORE = [
    {**row, "id": f"{row['id']}.{n}", "text": f"{row['text']} {'again ' * (n % 4)}".strip()}
    for n in range(2)
    for row in documents()
]
MANY = documents() + MORE
"""Three texts to an id, some of them the same."""


def apart(call: Callable[..., Any], *arguments: object) -> Any:
    """Call a flow where no engine is around it."""
    aside = copy_context()
    aside.run(choosing._current.set, None)
    return aside.run(call, *arguments)


@task(name="embed shard")
def poisoned(job: Any, part: Any) -> Any:
    """End the worker at the third chunk, as one that takes too much memory is ended."""
    if part.start == 32:
        os.kill(os.getpid(), signal.SIGKILL)
    return embed_shard.fn(job, part)
