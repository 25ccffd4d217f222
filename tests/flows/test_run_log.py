"""What a flow run says of itself on its page in the Prefect UI."""

import logging
from dataclasses import replace

import pytest

from flows.fit import FitOutcome
from flows.record import Recorded
from flows.run import RunReport, run
from flows.runtime.run_log import NOTHING, run_lines
from flows.serving.deployments import DOES, TAG, deployments
from flows.serving.served_flows import reconcile
from tasks.core.settings.params import load_params
from tasks.core.workspace.files import write_json
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
    assert live == "mood: 40 labels, live"  # too few for scores
    assert unused.startswith("broken: not used: ")
    assert "expected at least 10" in unused


def test_what_was_recorded_is_said_with_its_version_and_what_was_not_sent(tmp_path):
    paths = Paths(tmp_path)
    scores = {"before": {"v_measure": 4.1}, "after": {"v_measure": 79.0}, "texts": 640}
    write_json(paths.metric("mood"), scores)
    message, tags = "labels/mood: 640 labels\n\nmore", ("shop/view/mood/v2",)
    recorded = Recorded(True, "4fa08777aabb", message, tags, (), ("no network",))
    report = RunReport(None, None, FitOutcome([], {}), [], True, recorded)
    assert run_lines(paths, report) == [
        "mood: 640 labels, V 4 → 79, live as v2",
        "recorded as 4fa08777: labels/mood: 640 labels",
        "not sent: no network",
    ]
    nothing = Recorded(True, None, None, (), (), ())
    assert run_lines(paths, replace(report, record=nothing)) == [NOTHING]
    assert run_lines(paths, replace(report, record=nothing), ["mood"])[0].endswith("79, live")


def test_a_run_that_finds_nothing_says_so(made, said):
    reconcile(made)
    assert said == [NOTHING]


def test_each_deployment_says_what_it_does_and_can_be_filtered_by_its_workspace(world):
    made = deployments(Paths(world), load_params(Paths(world).params))
    assert {each.flow_name: each.description for each in made} == DOES
    assert all(each.tags == [TAG, "world"] for each in made)
