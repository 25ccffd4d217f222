"""What can be refused by looking at a file is refused before anything is started."""

import pytest
from click.testing import CliRunner

from flows.cli.verbs import cli
from flows.state.status import read_status
from tasks.core.settings.params import load_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths


class StartedError(Exception):
    pass


@pytest.fixture(autouse=True)
def _nothing_starts(monkeypatch):
    def start(*_):
        raise StartedError

    monkeypatch.setattr("flows.runtime.prefect_settings.settle", start)


def test_fit_of_a_file_without_labels_starts_nothing_and_notes_the_reason(made):
    paths = Paths(made)
    (paths.labels / "topic.csv").write_text("name,colour\na,red\n", "utf-8")
    done = CliRunner().invoke(cli, ["fit", "topic", "--root", str(made)], standalone_mode=False)
    assert isinstance(done.exception, InputError)
    assert "topic.csv" in str(done.exception)
    about = read_status(paths, load_params(paths.params)).instructions["topic"]
    assert about.transform.reason.startswith("rejected: ")


def test_fit_goes_on_with_the_files_that_can_be_read(made):
    labels = Paths(made).labels
    (labels / "topic.csv").write_text("name,colour\na,red\n", "utf-8")
    (labels / "new.csv").write_text((labels / "mood.csv").read_text("utf-8"), "utf-8")
    done = CliRunner().invoke(cli, ["fit", "--root", str(made)], standalone_mode=False)
    assert isinstance(done.exception, StartedError)


def test_run_says_at_its_start_which_label_file_it_goes_on_without(world):
    (Paths(world).labels / "topic.csv").write_text("name,colour\na,red\n", "utf-8")
    done = CliRunner().invoke(cli, ["run", "--root", str(world)], standalone_mode=False)
    assert isinstance(done.exception, StartedError)
    assert done.stderr.startswith("run: goes on without a label file: ")
    assert "topic.csv" in done.stderr


@pytest.mark.parametrize("version", ["v9", "latest", None])
def test_rollback_to_a_version_that_is_not_there_starts_nothing(made, version):
    words = ["rollback", "topic", *([version] if version else []), "--root", str(made)]
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    assert isinstance(done.exception, InputError)
