"""Files in a table's folder that no version names: what a writer wrote that was killed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from tasks.core.remote.pointers import pointer_at
from tasks.core.store.layout import DELETIONS, TRANSACTIONS, VERSIONS
from tasks.core.store.tables import open_table, readable

_EVER = timedelta(days=36_500)  # no version is older


def sweep(table: Path) -> None:
    """Remove the files of `table` that no version names; every version stays, tagged or not.

    The caller is the only writer: what one at work has written looks the same. 0.03 s on 500,000
    rows in 100 fragments and 100 versions. In a store nothing is removed here, see `maintenance`.
    """
    if pointer_at(table) is not None:
        return
    with readable(table):
        dataset = open_table(table)
        dataset.cleanup_old_versions(
            older_than=_EVER, delete_unverified=True, error_if_tagged_old_versions=False
        )
        _sweep_deletions(table, dataset)
        _sweep_transactions(table)


def _sweep_deletions(table: Path, dataset: Any) -> None:
    """Remove lists of deleted rows that no version names: Lance (14.0) itself leaves them."""
    there = list((table / DELETIONS).glob("*"))
    if not there:
        return
    named = set()
    for version in dataset.versions():
        fragments = dataset.checkout_version(version["version"]).get_fragments()
        named |= {Path(str(fragment.deletion_file())).name for fragment in fragments}
    for file in there:
        if file.name not in named:
            file.unlink()


def _sweep_transactions(table: Path) -> None:
    """Remove transactions that came to no version: a version's manifest spells the name of its own.

    Nothing goes where no name at all is found: that would be another way to write manifests.
    """
    there = list((table / TRANSACTIONS).glob("*.txn"))
    manifests = [file.read_bytes() for file in (table / VERSIONS).glob("*.manifest")]
    lost = [f for f in there if not any(f.name.encode() in manifest for manifest in manifests)]
    if len(lost) < len(there):
        for file in lost:
            file.unlink()
