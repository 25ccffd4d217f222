"""Upkeep of one table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.core.store import index, maintenance, recall, tables
from tasks.core.store.maintenance import Size
from tasks.core.workspace.manifests import IndexNote


@dataclass(frozen=True)
class UpkeepReport:
    """A table's size before and after."""

    name: str
    compacted: bool
    before: Size
    after: Size
    live: tuple[int | None, int | None]  # the version that readers see, before and after
    index: IndexNote | None  # of what readers see now

    @property
    def in_words(self) -> str:
        """What became of the table, in a line."""
        before, after = self.before, self.after
        return (
            f"{self.name}: {before.mib:,.1f} → {after.mib:,.1f} MiB,"
            f" {before.fragments:,} → {after.fragments:,} fragments,"
            f" {before.versions:,} → {after.versions:,} versions"
        )


@task(name="maintain table", task_run_name="maintain {name}", cache_policy=NO_CACHE)
def maintain_table(name: str, table: Path, keep: timedelta, fragments: int) -> UpkeepReport:
    """Compact a table, merge its indices and measure them, and let earlier versions go.

    Where readers follow a tag, it moves on to the same rows in fewer pieces.
    """
    before = maintenance.measure(table)
    live = tables.live_version(table)
    tables.rewind(table)
    compacted = maintenance.compact(table, fragments)
    merged = index.merge(table)
    if (compacted or merged) and live is not None:
        tables.publish(table, tables.version(table))
    maintenance.forget_versions(table, keep)
    now = tables.live_version(table)
    note = recall.noted(table, now)
    return UpkeepReport(name, compacted, before, maintenance.measure(table), (live, now), note)


@task(name="forget transforms", cache_policy=NO_CACHE)
def forget_transforms(folder: Path, in_use: str, keep: timedelta) -> int:
    """Remove old kept transforms of a view, but not the one in use; return how many."""
    return maintenance.forget_transforms(folder, in_use, keep)
