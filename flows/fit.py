"""Label files → one transform per instruction."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from prefect import flow

from flows.engine.choosing import engine, everywhere
from flows.engine.piece import Piece
from flows.migration.upcoming import opened
from flows.runtime.lock import writer
from flows.runtime.prefect_artifacts import leave_table
from flows.runtime.under_way import under_way
from flows.state.label_sources import aspect_files, label_sources
from flows.state.score_tables import write_tables
from flows.state.spoken_names import name_reader
from flows.state.staleness import FRESH, fit_fingerprints, fit_verdict, wanted_labels, wording
from flows.state.trust import ask
from tasks.core.labels.files import LabelFile
from tasks.core.settings.params import Params
from tasks.core.store import tables
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import write_manifest
from tasks.core.workspace.manifests import Rejection
from tasks.core.workspace.one_look import one_look
from tasks.core.workspace.paths import Paths
from tasks.fit import FitJob, FitReport, commit_fit, fit_instruction
from tasks.progress import track


@dataclass(frozen=True)
class FitOutcome:
    """Transforms made, and label files that could not be used with the reason."""

    fitted: list[FitReport]
    rejected: dict[str, str]


@flow(name="fit", flow_run_name="fit")
def fit(
    root: Path, names: list[str] | None = None, force: bool = False, upcoming: bool = False
) -> FitOutcome:
    """Fit every instruction whose labels, settings or labelled texts changed.

    A label file that cannot be used is rejected with its reason; the others go on, and what was
    fitted from an earlier version of it stays. upcoming: on the next encoder's vectors, apart.
    """
    paths, params = opened(root, upcoming=upcoming)
    paths = everywhere(paths, params.engine)
    ask(paths, "sources")
    files = wanted_labels(paths, names or [])
    fitted: list[FitReport] = []
    rejected: dict[str, str] = {}
    with writer(paths), engine(paths, params.engine) as workers:
        _, params = opened(root, upcoming=upcoming)  # as they are now that the lock is held
        tables.note(paths.base_table)  # a broken table is no fault of a label file
        (paths.quarantine / "labels").mkdir(parents=True, exist_ok=True)
        paths.transforms.mkdir(parents=True, exist_ok=True)
        paths.metric_folder.mkdir(parents=True, exist_ok=True)
        if not names:
            unusable = label_sources(paths).errors
            rejected |= {name: str(error) for name, error in unusable.items()}
            for name, reason in rejected.items():
                place = paths.quarantine / "labels" / f"{name}.json"
                write_manifest(place, Rejection(reason=reason))
        with track("fit", len(files), "label files") as advance:
            known = set() if force else _known(paths, params, files)
            left = {name: file for name, file in files.items() if name not in known}
            jobs = [_job(paths, params, name, file, force=force) for name, file in left.items()]
            stale = [job for job in jobs if _is_stale(paths, job)]
            advance(len(files) - len(stale))
            with under_way(paths, "fit", [job.name for job in stale]):
                for piece, result in workers.run(fit_instruction, map(_piece, stale), advance):
                    job = piece.arguments["job"]
                    try:
                        fitted.append(commit_fit(job, result()))
                    except InputError as error:
                        rejected[job.name] = str(error)
                        why = Rejection(reason=str(error), made_from=job.made_from)
                        write_manifest(job.rejection, why)
        write_tables(paths)
    _leave(fitted, rejected)
    return FitOutcome(fitted, rejected)


@one_look()
def _known(paths: Paths, params: Params, files: Mapping[str, LabelFile]) -> set[str]:
    """Return those of `files` whose transform is up to date, and needs no word said about it."""
    found = []
    for name, file in files.items():
        with suppress(InputError):  # it is said when the turn of this one comes
            if fit_verdict(paths, name, fit_fingerprints(paths, params, name, file)) == FRESH:
                found.append(name)
    return {name for name in found if not paths.rejection(name).is_file()}


def _is_stale(paths: Paths, job: FitJob) -> bool:
    verdict = fit_verdict(paths, job.name, job.made_from)
    if job.force or verdict.stale:
        return True
    if verdict == FRESH:  # its labels are again those that were fitted
        job.rejection.unlink(missing_ok=True)
    return False


def _piece(job: FitJob) -> Piece:
    return Piece({"job": job}, 1, lambda: f"the fit of {job.name!r}")


def _job(paths: Paths, params: Params, name: str, file: LabelFile, *, force: bool) -> FitJob:
    params, elsewhere = params.of(name), params.engine.runner != "local"
    return FitJob(
        wording=wording(paths, params, name),
        file=file,
        table=paths.base_table,
        transform=paths.transform(name),
        metric=paths.metric(name),
        rejected_rows=paths.rejected_labels(name),
        rejection=paths.rejection(name),
        hold=paths.hold(name),
        root=paths.root,
        exchange=paths.exchange,
        made_from=fit_fingerprints(paths, params, name, file),
        settings=params.fit,
        names=name_reader(paths, params, name, params.fit.method, elsewhere=elsewhere),
        without=aspect_files(paths, name, params.without(name)),
        force=force,
    )


def _leave(fitted: list[FitReport], rejected: dict[str, str]) -> None:
    rows: list[dict[str, object]] = [
        {
            "instruction": report.name,
            "method": report.method,
            "texts": report.texts,
            "get their label, %": report.right,
            **_shifts(report),
            "gate": report.gate and report.gate.state,
        }
        for report in fitted
    ]
    rows += [{"instruction": name, "rejected": reason} for name, reason in rejected.items()]
    leave_table("fit", "Transforms", rows)


def _shifts(report: FitReport) -> dict[str, object]:
    sides = {"before": report.before, "after": report.after}
    return {
        f"{title} {when}": figures.get(key)
        for key, title in (("v_measure", "V"), ("triplets", "triplets"))
        for when, figures in sides.items()
    }
