"""The service is as its OpenAPI description says, to clients that know nothing else."""

import re
import shutil
import subprocess
import sys

import pytest

from tests.exploring import Explored
from tests.world import set_params

# A condition, an id or a workspace may be refused that the schema allows: it knows none of them.
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", 400, 404, 409]
"""


@pytest.fixture(scope="module")
def explored(_made, tmp_path_factory):
    """A service of its own: it is given labels, which no fit reads while the tests last."""
    folder = tmp_path_factory.mktemp("described")
    root = shutil.copytree(_made, folder / "world")
    set_params(root, serve={"settle": 600.0})
    served = Explored(root, folder / "log")
    yield served
    served.end()


def attacked(served, folder, *words):
    """Let schemathesis ask whatever the description allows, and some that it does not.

    Of everything but /events, which never ends.
    """
    (folder / "schemathesis.toml").write_text(CONFIG)
    command = [sys.executable, "-m", "schemathesis.cli", "--no-color", "run"]
    command += ["--header", f"Authorization: Bearer {served.token}", "--seed", "1", *words]
    command += ["--exclude-path", "/events", "--request-timeout", "200"]
    return subprocess.run(
        [*command, f"{served.url}/openapi.json"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=280,
    )


def test_whatever_is_asked_gets_an_answer_that_was_described(explored, tmp_path):
    done = attacked(explored, tmp_path, "--max-examples", "3", "--phases", "coverage,fuzzing")
    assert done.returncode == 0, done.stdout
    operations = sum(
        len(methods) for methods in explored.get("/openapi.json").json["paths"].values()
    )
    assert f"Tested: {operations - 1}" in done.stdout


@pytest.mark.attack
def test_a_thousand_questions_get_answers_that_were_described(explored, tmp_path):
    done = attacked(explored, tmp_path, "--max-examples", "100")
    assert done.returncode == 0, done.stdout


def test_the_reference_needs_nothing_from_elsewhere_and_names_every_route(explored):
    page = explored.get("/docs").body.decode()
    for path in explored.get("/openapi.json").json["paths"]:
        assert f"<code>GET {path}</code>" in page or f"<code>POST {path}</code>" in page
    assert re.findall(r"(?:src|href)=\"([^\"]*)\"", page) == ["/openapi.json"]
    assert "<script" not in page


def test_the_description_says_how_to_be_let_in(explored):
    described = explored.get("/openapi.json").json
    assert described["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    for methods in described["paths"].values():
        for about in methods.values():
            assert about["security"] == [{"HTTPBearer": []}]
            assert {"400", "401", "404"} <= about["responses"].keys()
