"""One instruction whose label file appeared, changed or vanished: up to date and recorded."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from flows.checkout import finish_checkout
from flows.fit import fit
from flows.materialise import materialise
from flows.run import bring_up_to_date
from flows.runtime.flow_run_output import SAY, as_child
from flows.runtime.lock import writer
from flows.runtime.prefect_settings import no_heartbeats
from flows.runtime.run_log import NOTHING, say
from flows.state.label_sources import label_sources
from flows.state.staleness import any_fit, anything_left, fitted, rejections
from flows.state.tracked_files import anything_uncommitted
from flows.state.trust import ask_recording
from tasks.core.settings.params import Params, load_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.instruction_name import check_name
from tasks.core.workspace.paths import Paths


@flow(name="labels", flow_run_name="labels/{instruction}", **SAY)
def labels(root: Path, instruction: str, commit: bool = False) -> None:
    """Make the view of `instruction`, then what else waits, and record it.

    Of ten files that arrive at once the first run makes all ten, each as soon as it can; the
    others find nothing left. If the label file is gone, its view is retired where
    `materialise.retire` says so. Raises InputError if the file cannot be used.
    """
    as_child()
    finish_checkout(Paths(root))
    paths, params = Paths(root), load_params(Paths(root).params)
    name = check_name(instruction)
    with writer(paths), no_heartbeats():
        params = load_params(paths.params)  # another encoder may have come while this waited
        if not (anything_left(paths, params) or (commit and _uncommitted(paths, params))):
            say(NOTHING)
        else:
            made = []
            if name in label_sources(paths) and any_fit(paths, params, [name]):
                fit(root, [name])
                if name in fitted(paths):
                    made = [view.name for view in materialise(root, [name])]
            subject = f"labels/{name}"
            bring_up_to_date(root, subject, commit=commit, documents=False, made=made)
    rejected = rejections(paths, params, [name])
    if rejected:
        raise InputError("; ".join(rejected.values()))


def _uncommitted(paths: Paths, params: Params) -> bool:
    """Tell whether git lacks something, once it may be asked: it may start programs."""
    ask_recording(paths, params)
    return anything_uncommitted(paths)
