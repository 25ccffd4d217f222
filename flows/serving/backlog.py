"""What waits to be run under `refract serve`: each thing once, however often it was asked for.

A run looks at its files when it starts, so another one that waits beside it would find nothing.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import httpx

MOST = 32  # instructions with a run of their own that waits; `reconcile` makes the views of more
_PAGE = 200  # runs: what Prefect's server tells at once
_LATENCY = 5.0  # seconds from an event to its run: 1 to 4 were seen on two busy cores
_EACH = 10.0  # seconds between two looks at the queue while no label file changes


class Backlog:
    """The queue of a workspace's deployments, and the instructions that are to enter it.

    ids: the id of each flow's deployment. tell: emits the event that asks for an instruction's run.
    """

    def __init__(self, client: Any, ids: dict[str, UUID], tell: Callable[[str], None]) -> None:
        self._client, self._ids, self._tell = client, ids, tell
        self._lock = threading.Lock()
        self._noted: set[str] = set()
        self._told: dict[str, float] = {}
        self._due = 0.0
        self._silent = False

    def note(self, instructions: Iterable[str]) -> None:
        """Ask for a run of these instructions; may be called from any thread."""
        with self._lock:
            self._noted.update(instructions)

    async def turn(self) -> None:
        """Merge what waits, and ask for a run of each noted instruction for which none waits.

        Where the server does not answer, what was noted stays so until the next turn.
        """
        with self._lock:
            noted = set(self._noted)
        if not noted and time.monotonic() < self._due:
            return
        try:
            settled = await self._ask(noted)
        except httpx.HTTPError as error:
            if not self._silent:
                print(
                    f"the Prefect server does not answer ({error!r}); asked again", file=sys.stderr
                )
            self._silent = True
            return
        self._silent = False
        self._due = time.monotonic() + _EACH
        with self._lock:
            self._noted -= settled

    async def merge(self) -> tuple[list[Any], int]:
        """Return the runs that wait, and how many were taken out since another does the same."""
        first: dict[tuple[UUID, str], Any] = {}
        gone = 0
        for run in await self._waiting():
            key = (run.deployment_id, json.dumps(run.parameters, sort_keys=True, default=str))
            if key in first:
                await self._drop(run.id, first[key].id)
                gone += 1
            else:
                first[key] = run
        return list(first.values()), gone

    async def _ask(self, noted: set[str]) -> set[str]:
        """Return those of `noted` that a run will look at, or that an event was emitted for."""
        runs, _ = await self.merge()
        now = time.monotonic()
        self._told = {name: at for name, at in self._told.items() if now - at < _LATENCY}
        own = [run for run in runs if run.deployment_id == self._ids["labels"]]
        waiting = {str(run.parameters.get("instruction")) for run in own}
        missing = sorted(noted - waiting - self._told.keys())
        room = max(0, MOST - len(waiting | self._told.keys()))
        for name in missing[:room]:
            self._tell(name)
            self._told[name] = now
        if missing[room:] and not any(r.deployment_id == self._ids["reconcile"] for r in runs):
            await self._client.create_flow_run_from_deployment(self._ids["reconcile"])
        return set(missing) | (noted & waiting)

    async def _waiting(self) -> list[Any]:
        """Return the runs that are due and not begun, the earliest first."""
        from prefect.client.schemas import filters
        from prefect.client.schemas.objects import StateType
        from prefect.client.schemas.sorting import FlowRunSort
        from prefect.types import DateTime

        due = filters.FlowRunFilter(
            state=filters.FlowRunFilterState(
                type=filters.FlowRunFilterStateType(any_=[StateType.SCHEDULED])
            ),
            expected_start_time=filters.FlowRunFilterExpectedStartTime(before_=DateTime.now("UTC")),
        )
        ours = filters.DeploymentFilter(
            id=filters.DeploymentFilterId(any_=list(self._ids.values()))
        )
        found: list[Any] = []
        while len(found) % _PAGE == 0:
            page = await self._client.read_flow_runs(
                flow_run_filter=due,
                deployment_filter=ours,
                sort=FlowRunSort.EXPECTED_START_TIME_ASC,
                limit=_PAGE,
                offset=len(found),
            )
            if not page:
                break
            found += page
        return found

    async def _drop(self, run: UUID, kept: UUID) -> None:
        from prefect.exceptions import ObjectNotFound
        from prefect.states import Cancelled

        state: Any = Cancelled(name="Merged", message=f"the run {kept} that waits does the same")
        try:
            await self._client.set_flow_run_state(run, state)
        except ObjectNotFound:
            return  # deleted meanwhile, by hand
