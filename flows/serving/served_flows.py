"""The flows that run by the clock under `refract serve`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from prefect import flow

from flows.run import bring_up_to_date
from flows.runtime.flow_run_output import SAY, as_child
from flows.runtime.prefect_artifacts import leave_table
from flows.runtime.run_log import NOTHING, say
from flows.state.sources import documents
from flows.state.staleness import anything_left, corpus_is_stale
from tasks.core.settings.params import Params, load_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths


def _dated() -> str:
    return f"corpus/{date.today().isoformat()}"  # the day where the workspace is


@flow(name="corpus", flow_run_name=_dated, **SAY)
def corpus(root: Path, commit: bool = False) -> None:
    """Take in the documents that changed, bring every view up to date, and record it."""
    as_child()
    paths, params = Paths(root), load_params(Paths(root).params)
    if not _documents(paths, params):
        leave_table("corpus", "Main job", [{"what": "documents", "count": 0}])
        say("no documents: nothing to do")
    elif corpus_is_stale(paths, params) or anything_left(paths, params):
        bring_up_to_date(root, _dated(), commit=commit)
    else:
        say(NOTHING)


@flow(name="reconcile", flow_run_name="reconcile", **SAY)
def reconcile(root: Path, commit: bool = False) -> None:
    """Make and record what is missing: what an event that was lost, or a kill, has left undone.

    Documents that changed wait for `corpus`, but those of a workspace without a corpus do not.
    """
    as_child()
    paths, params = Paths(root), load_params(Paths(root).params)
    first = not paths.stamp("ingest").is_file() and _documents(paths, params)
    if first or (paths.stamp("ingest").is_file() and _left(paths, params)):
        bring_up_to_date(root, "reconcile", commit=commit, documents=first)
    else:
        say(NOTHING)


def _left(paths: Paths, params: Params) -> bool:
    if not paths.stamp("embed").is_file():
        return True
    return anything_left(paths, params)


def _documents(paths: Paths, params: Params) -> bool:
    try:
        return bool(documents(paths, params).files)
    except InputError:
        return False
