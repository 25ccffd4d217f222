"""The next encoder brought, in this process or in a child that is killed, and what is seen then."""

from __future__ import annotations

import signal
from pathlib import Path

from prefect.settings import PREFECT_API_URL

from flows import Workspace
from flows.migrate import migrate
from flows.run import run
from tasks.core.settings.params import load_params
from tests.children import Child
from tests.kills import kill_at
from tests.same import assert_same

WORDS = "the parcel is late"


def found(workspace: Workspace) -> list[tuple[str, float]]:
    """Return what a search finds in a view, best first."""
    return [(hit.id, round(hit.score, 3)) for hit in workspace.view("mood").closest(WORDS, k=5)]


def model_of(root: Path) -> tuple[str, object]:
    """Return which encoder params.yaml says is at work, and which is to follow."""
    settings = load_params(root / "params.yaml").embed
    return settings.model, settings.next


def assert_followed(root: Path, other: Path) -> None:
    """Nothing is to be made of what a run finds, and all is as the other encoder makes it."""
    report = run(root)
    assert (report.embed, report.fit.fitted, report.materialise) == (None, [], [])
    assert_same(root, other)


def doomed(root: Path, target: str, nth: int, when: str) -> None:
    """Bring the next encoder until the `nth` call of `target`, which does not survive it."""
    kill_at(target, nth, when)
    migrate(root)


def killed(root: Path, target: str, nth: int = 1, when: str = "before") -> None:
    """Do that in a child."""
    child = Child(PREFECT_API_URL.value(), root, None, doomed, root, target, nth, when)
    assert child.wait() == -signal.SIGKILL, f"{target} was never reached"
