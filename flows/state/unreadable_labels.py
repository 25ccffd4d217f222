"""Label files that no fit could use, found by a look at them alone, before anything is started."""

from __future__ import annotations

from collections.abc import Sequence

from flows.runtime.lock import writer
from flows.state.label_sources import label_sources
from flows.state.staleness import fit_fingerprints, fit_verdict, wanted_labels
from flows.state.trust import ask
from tasks.core.labels.files import LabelFile
from tasks.core.settings.params import Params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import write_manifest
from tasks.core.workspace.manifests import Rejection
from tasks.core.workspace.one_look import one_look
from tasks.core.workspace.paths import Paths


def reject_unreadable(paths: Paths, params: Params, names: Sequence[str]) -> None:
    """Note, as `fit` does, why label files (of `names`) that changed cannot be read."""
    ask(paths, "sources")
    files = wanted_labels(paths, names)
    with one_look():
        made_from = {
            name: fit_fingerprints(paths, params, name, file) for name, file in files.items()
        }
        stale = [name for name in files if fit_verdict(paths, name, made_from[name]).stale]
    for name in stale:
        reason = _reason(files[name], params)
        if reason is not None:
            with writer(paths):
                why = Rejection(reason=reason, made_from=made_from[name])
                write_manifest(paths.rejection(name), why)


def unreadable(paths: Paths, params: Params) -> list[str]:
    """Return why label files cannot be read that no fit has seen yet, a reason each."""
    ask(paths, "sources")
    with one_look():
        new = [file for file in label_sources(paths).values() if not _seen(paths, params, file)]
    return [reason for file in new if (reason := _reason(file, params)) is not None]


def _seen(paths: Paths, params: Params, file: LabelFile) -> bool:
    made_from = fit_fingerprints(paths, params, file.instruction, file)
    return not fit_verdict(paths, file.instruction, made_from).stale


def _reason(file: LabelFile, params: Params) -> str | None:
    from tasks.core.labels.reader import check_readable

    try:
        check_readable(file, params.fit.separator)
    except InputError as error:
        return str(error)
    return None
