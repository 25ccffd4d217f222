"""What a flow run says of itself on its page in the Prefect UI."""

import logging

import pytest

from flows.run import run
from flows.serving.deployments import DOES, TAG, deployments
from flows.serving.served_flows import reconcile
from tasks.core.settings.params import load_params
from tasks.core.workspace.paths import Paths
from tests.world import documents, write_labels

pytestmark = pytest.mark.server


@pytest.fixture
def said():
    """The lines that flow runs log, as they come."""
    lines = []

    class Kept(logging.Handler):
        def emit(self, record):
            if record.funcName == "say":
                lines.append(record.getMessage())

    logger, handler = logging.getLogger("prefect.flow_runs"), Kept()
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lines
    logger.setLevel(before)
    logger.removeHandler(handler)


def test_a_run_says_what_became_live_and_what_was_not_used(made, said):
    write_labels(made, "mood", documents()[:40])
    (made / "data" / "labels" / "broken.csv").write_text("id,label\nt00,glad\n")
    run(made)
    live, unused = said
    assert live.startswith("mood: 40 labels, V ")
    assert live.endswith(", live")
    assert unused.startswith("broken: not used: ")
    assert "expected at least 10" in unused


def test_a_recorded_run_names_versions_and_commit(root, said):
    write_labels(root, "mood", documents()[:48])
    run(root, commit=True)
    assert said[0].startswith("mood: 48 labels, V ")
    assert said[0].endswith(", live as v4")
    assert said[1].startswith("recorded as ")
    assert "run: mood 48 labels" in said[1]


def test_a_run_that_finds_nothing_says_so(made, said):
    reconcile(made)
    assert said == ["nothing to do: everything is up to date"]


def test_each_deployment_says_what_it_does_and_can_be_filtered_by_its_workspace(world):
    made = deployments(Paths(world), load_params(Paths(world).params))
    assert {each.flow_name: each.description for each in made} == DOES
    assert all(each.tags == [TAG, "world"] for each in made)
