"""Upkeep of one table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from prefect import task
from prefect.cache_policies import NO_CACHE

from tasks.core.store import maintenance, tables
from tasks.core.store.maintenance import Size


@dataclass(frozen=True)
class UpkeepReport:
    """A table's size before and after."""

    name: str
    compacted: bool
    before: Size
    after: Size
    live: tuple[int | None, int | None]  # the version that readers see, before and after

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
    """Compact a table, publish that if readers follow a tag, and let earlier versions go."""
    before = maintenance.measure(table)
    live = tables.live_version(table)
    tables.rewind(table)
    compacted = maintenance.compact(table, fragments)
    if compacted and live is not None:
        tables.publish(table, tables.version(table))
    maintenance.forget_versions(table, keep)
    now = tables.live_version(table)
    return UpkeepReport(name, compacted, before, maintenance.measure(table), (live, now))


@task(name="forget transforms", cache_policy=NO_CACHE)
def forget_transforms(folder: Path, in_use: str, keep: timedelta) -> int:
    """Remove old kept transforms of a view, but not the one in use; return how many."""
    return maintenance.forget_transforms(folder, in_use, keep)
