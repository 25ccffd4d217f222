"""Record in DVC what a run has made."""

from __future__ import annotations

from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.repository import dvc

STAGES = ("ingest", "embed", "fit", "materialise")


@task(name="record", cache_policy=NO_CACHE, retries=2, retry_delay_seconds=2)
def record(root: Path, stages: tuple[str, ...] = STAGES) -> None:
    """Let DVC take over the outputs of `stages` as they are now."""
    dvc(root, "--wait-for-lock", "commit", "--force", *stages)
