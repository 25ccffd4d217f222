"""The deployments that `refract serve` offers to Prefect, and what triggers each."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from prefect.deployments.runner import RunnerDeployment
from prefect.events import DeploymentEventTrigger
from prefect.schedules import Cron, Interval, Schedule
from prefect.types.entrypoint import EntrypointType

from flows.maintain import maintain
from flows.serving.label_runs import labels
from flows.serving.served_flows import corpus, reconcile
from flows.state.tracked_files import commits_by_itself
from tasks.core.settings.params import Params
from tasks.core.workspace.paths import Paths

LABELS_CHANGED = "refract.labels.changed"
TAG = "refract"  # on every deployment and run of it, beside the name of the workspace
DOES = {
    "corpus": "Takes in the documents that changed, encodes what is new, brings every view up to"
    " date, and records it.",
    "labels": "Makes one view anew when its label file appears, changes or vanishes, and records"
    " it. By hand: `instruction` is the name of a file in `data/labels`, without its ending.",
    "reconcile": "Makes and records whatever is missing: what a lost event, a kill or a time"
    " without `refract serve` has left undone. Does nothing where nothing is.",
    "maintain": "Compacts the tables, refreshes their indices and lets earlier versions go; what"
    " readers see stays the same.",
}
"""What each deployment does, as its page in the Prefect UI says it."""


def name_of(paths: Paths, params: Params) -> str:
    """Return the name of the deployments: one a workspace on a Prefect server."""
    return params.serve.name or paths.root.resolve().name


def resource_of(name: str) -> str:
    """Return the resource that the events of a workspace are about."""
    return f"refract.workspace.{name}"


def deployments(paths: Paths, params: Params) -> list[RunnerDeployment]:
    """Return corpus, labels, reconcile and maintain, with their schedules and triggers."""
    name, serve = name_of(paths, params), params.serve
    root = str(paths.root.resolve())
    recording = {"root": root, "commit": commits_by_itself(paths, params)}
    trigger = DeploymentEventTrigger(
        name=f"{LABELS_CHANGED} in {name}",
        expect={LABELS_CHANGED},
        match={"prefect.resource.id": resource_of(name)},
        parameters=recording | {"instruction": "{{ event.payload.instruction }}"},
    )
    every = Interval(timedelta(seconds=serve.reconcile))
    return [
        _deployment(corpus, name, recording, _cron(serve.corpus, serve.timezone)),
        _deployment(labels, name, recording | {"instruction": "NAME"}, None, triggers=[trigger]),
        _deployment(reconcile, name, recording, every),
        _deployment(maintain, name, recording, _cron(serve.maintain, serve.timezone)),
    ]


def _cron(line: str | None, timezone: str) -> Schedule | None:
    return None if line is None else Cron(line, timezone=timezone)


def _deployment(
    flow: Any, name: str, parameters: dict[str, object], schedule: Schedule | None, **more: Any
) -> RunnerDeployment:
    made: RunnerDeployment = flow.to_deployment(
        name=name,
        parameters=parameters,
        schedule=schedule,
        description=DOES[flow.name],
        tags=[TAG, name],
        entrypoint_type=EntrypointType.MODULE_PATH,
        **more,
    )
    return made
