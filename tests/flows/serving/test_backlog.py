"""What waits to be run, on a real Prefect API: each thing once."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.states import Running, Scheduled

from flows.serving import backlog
from flows.serving.backlog import MOST, Backlog


@flow
def nothing(instruction: str = "NAME", commit: bool = False) -> None:
    """Stand in for every deployment's flow."""


class Desk:
    """Four deployments of a name that nobody else has, their backlog, and what it told."""

    def __init__(self, client, ids):
        self.client, self.ids, self.told = client, ids, []
        self.backlog = Backlog(client, ids, self.told.append)

    async def queue(self, flow_name, since=0.0, **parameters):
        """Lay a run into the queue that has been due for `since` seconds."""
        due = Scheduled(scheduled_time=datetime.now(UTC) - timedelta(seconds=since))
        deployment = self.ids[flow_name]
        return await self.client.create_flow_run_from_deployment(
            deployment, parameters=parameters, state=due
        )

    async def state(self, run):
        return (await self.client.read_flow_run(run.id)).state

    async def waiting(self):
        runs, gone = await self.backlog.merge()
        assert gone == 0
        return runs


@pytest.fixture
def desk():
    """Run a test's coroutine with a desk."""

    async def work(body):
        async with get_client() as client:
            flow_id = await client.create_flow(nothing)
            name = uuid4().hex
            ids = {
                each: await client.create_deployment(flow_id, f"{each}-{name}")
                for each in ("labels", "reconcile", "corpus", "maintain")
            }
            await body(Desk(client, ids))

    return lambda body: asyncio.run(work(body))


def test_of_runs_that_wait_with_the_same_parameters_the_earliest_is_left(desk):
    async def body(it):
        late = [await it.queue("labels", since, instruction="mood") for since in (10, 900, 50)]
        other = await it.queue("labels", 5, instruction="tone")
        nightly = [await it.queue("corpus", 86_400 * n + 60) for n in (0, 2, 1)]
        tomorrow = await it.queue("labels", -86_400, instruction="mood")
        runs, gone = await it.backlog.merge()
        assert [run.id for run in runs] == [nightly[1].id, late[1].id, other.id]
        assert gone == 4
        state = await it.state(late[0])
        assert (state.type.value, state.name) == ("CANCELLED", "Merged")
        assert state.message == f"the run {late[1].id} that waits does the same"
        assert (await it.state(tomorrow)).is_scheduled()
        assert len(await it.waiting()) == 3

    desk(body)


def test_hundreds_of_runs_that_wait_are_merged_at_once(desk, monkeypatch):
    monkeypatch.setattr(backlog, "_PAGE", 20)

    async def body(it):
        for n in range(70):
            await it.queue("labels", 1_000 - n, instruction=f"aspect{n % 5}")
        runs, gone = await it.backlog.merge()
        assert [run.parameters["instruction"] for run in runs] == [f"aspect{n}" for n in range(5)]
        assert gone == 65

    desk(body)


def test_an_instruction_is_told_unless_a_run_of_it_waits(desk, monkeypatch):
    monkeypatch.setattr(backlog, "_LATENCY", 0.0)

    async def body(it):
        it.backlog.note(["tone", "mood"])
        it.backlog.note(["mood"])
        await it.backlog.turn()
        assert it.told == ["mood", "tone"]
        run = await it.queue("labels", 1, instruction="mood")
        it.backlog.note(["mood", "tone"])
        await it.backlog.turn()
        assert it.told == ["mood", "tone", "tone"]
        await it.client.set_flow_run_state(run.id, Running())  # it may have read its files by now
        it.backlog.note(["mood"])
        await it.backlog.turn()
        await it.backlog.turn()
        assert it.told == ["mood", "tone", "tone", "mood"]

    desk(body)


def test_what_changes_before_its_event_has_become_a_run_is_not_forgotten(desk, monkeypatch):
    async def body(it):
        it.backlog.note(["mood"])
        await it.backlog.turn()
        it.backlog.note(["mood"])
        await it.backlog.turn()
        assert it.told == ["mood"]
        monkeypatch.setattr(backlog, "_LATENCY", 0.0)
        await it.backlog.turn()
        assert it.told == ["mood", "mood"]

    desk(body)


def test_of_very_many_instructions_some_have_runs_of_their_own_and_one_run_makes_the_rest(desk):
    async def body(it):
        for again in range(2):
            it.backlog.note(f"aspect{n:04}-{again}" for n in range(3_000))
            await it.backlog.turn()
        assert it.told == [f"aspect{n:04}-0" for n in range(MOST)]
        assert [run.deployment_id for run in await it.waiting()] == [it.ids["reconcile"]]

    desk(body)


def test_a_server_that_does_not_answer_for_a_while_loses_nothing(desk, capfd):
    async def body(it):
        class Silent:
            async def read_flow_runs(self, **_):
                raise httpx.ConnectError("refused")

        client, it.backlog._client = it.backlog._client, Silent()
        it.backlog.note(["mood"])
        await it.backlog.turn()
        await it.backlog.turn()
        assert it.told == []
        it.backlog._client = client
        await it.backlog.turn()
        assert it.told == ["mood"]

    desk(body)
    said = capfd.readouterr().err
    assert said.count("the Prefect server does not answer (ConnectError('refused'))") == 1
