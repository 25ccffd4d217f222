"""What a person is told of labels: which tool they came from, and where they may be."""

import json

import pytest
from click.testing import CliRunner

from flows.cli.verbs import cli
from flows.init import make_workspace
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.world import documents


def refract(root, *arguments):
    done = CliRunner().invoke(cli, [*arguments, "--root", str(root)], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def task(number, row, *, cancelled):
    value = {"choices": [row["mood"]]}
    result = {"from_name": "mood", "to_name": "text", "type": "choices", "value": value}
    answer = {"completed_by": 1, "was_cancelled": cancelled, "result": [result]}
    return {"id": number, "data": {"text": row["text"]}, "annotations": [answer]}


def test_fit_and_status_say_which_tool_an_export_came_from(made):
    (Paths(made).labels / "mood.csv").unlink()
    tasks = [task(n, row, cancelled=n < 9) for n, row in enumerate(documents())]
    (Paths(made).labels / "mood.json").write_text(json.dumps(tasks))
    line = "read as a Label Studio export: 63 annotations, 9 skipped by the annotator"
    assert f"\n  {line}\n" in refract(made, "fit", "mood")
    assert f"\n  mood was {line}\n" in refract(made, "status")
    assert json.loads(refract(made, "status", "--json"))["instructions"]["mood"]["read_as"] == [
        line
    ]


def test_where_labels_may_be_is_said_where_there_are_none(made, tmp_path):
    with pytest.raises(InputError, match=r"-column COLUMN'\), their names alone .*, or 'refr"):
        refract(made, "fit", "tone")
    make_workspace(tmp_path / "new", git=False)
    assert "(columns id,label or text,label), or name their column" in refract(
        tmp_path / "new", "status"
    )
