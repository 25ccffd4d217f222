"""The command line as a user meets it: exit codes, one-line errors, and a real process."""

import json
import os
import subprocess
import sys

import pytest

from tests.commands import refract, refused
from tests.world import make_world


def process(root, *arguments):
    """Run a command as the shell does."""
    command = [sys.executable, "-m", "flows", *arguments]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PREFECT_")}
    return subprocess.run(command, cwd=root, env=clean, capture_output=True, text=True, timeout=280)


@pytest.fixture
def empty(tmp_path):
    assert refract(tmp_path, "init", "shop").code == 0
    return tmp_path / "shop"


def test_init_makes_a_workspace_and_never_overwrites_one(empty):
    assert (empty / "params.yaml").is_file()
    assert (empty / "dvc.yaml").is_file()
    assert (empty / "data" / "raw").is_dir()
    assert (empty / "data" / "labels").is_dir()
    assert "holds a workspace already" in refused(empty, "init", ".")


def test_a_folder_that_is_no_workspace_is_refused_by_every_verb(tmp_path):
    for verb in ("ingest", "embed", "fit", "materialise", "run", "status"):
        assert "run 'refract init DIR'" in refused(tmp_path, verb)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("notes.pdf", "x", "another format"),
        ("table.csv", "a,b\n1,2\n", "no text column"),
        ("broken.parquet", "x", "broken.parquet"),
    ],
)
def test_unusable_sources_end_in_one_line_and_write_nothing(
    empty, tmp_path, name, content, message
):
    source = tmp_path / name
    source.write_text(content)
    assert message in refused(empty, "ingest", str(source))
    assert list((empty / "data" / "raw").iterdir()) == []
    assert not (empty / "data" / "corpus").exists()


def test_missing_sources_end_in_one_line(empty, tmp_path):
    assert "no such file" in refused(empty, "ingest", "nowhere.csv")
    (tmp_path / "hollow").mkdir()
    assert "empty folder" in refused(empty, "ingest", str(tmp_path / "hollow"))
    assert "empty folder" in refused(empty, "run")


def test_mistakes_in_params_are_named_with_key_bound_and_value(empty):
    file = empty / "params.yaml"
    good = file.read_text()
    for old, new, message in (
        ("held_out: 0.2", "held_out: 1.5", "fit.held_out: must be less than 0.9 (got 1.5)"),
        ("margin: 10.0", "margin: -1", "fit.gstransform.margin: must be greater than 0 (got -1)"),
        ("chunk: 16384", "chunks: 16384", "embed.chunks: unknown key; expected one of: model"),
        ("method: auto", "method: magic", "fit.method: must be 'auto', 'discriminant'"),
        ("instructions: {}", "instructions: {../x: y}", "instruction '../x'"),
        ("sampling: random", "sampling: [", "not readable as YAML"),
    ):
        assert old in good
        file.write_text(good.replace(old, new))
        assert message in refused(empty, "status")


def test_a_new_document_never_takes_the_place_of_another_unasked(empty, tmp_path):
    kept = empty / "data" / "raw" / "messages.csv"
    kept.write_text("id,text\n1,the only copy\n")
    (tmp_path / "messages.csv").write_text("id,text\n2,another\n")
    message = refused(empty, "ingest", str(tmp_path / "messages.csv"))
    assert "exists with other content; rename the new file, or repeat with --replace" in message
    assert "the only copy" in kept.read_text()


def test_what_the_system_refuses_is_one_line(empty, tmp_path):
    (tmp_path / "file").write_text("x")
    assert "check the path" in refused(empty, "init", str(tmp_path / "file" / "shop"))
    (empty / "params.yaml").unlink()
    (empty / "params.yaml").mkdir()
    assert "not found" in refused(empty, "status")


def test_an_unreadable_label_file_does_not_stop_status(empty):
    (empty / "data" / "labels" / "gone.csv").symlink_to("/nonexistent")
    (empty / "data" / "labels" / "folder.csv").mkdir()
    done = refract(empty, "status", "--json")
    assert done.code == 0
    reasons = json.loads(done.out)["instructions"]
    assert "a link to nothing" in reasons["gone.csv"]["transform"]["reason"]
    assert "found a folder" in reasons["folder.csv"]["transform"]["reason"]


def test_verbs_before_their_time_say_what_comes_first(empty):
    assert "run 'refract ingest'" in refused(empty, "embed")
    assert "run 'refract embed'" in refused(empty, "fit")
    assert "there is none; expected one of: base" in refused(empty, "search", "x", "--view", "mood")
    assert "refract run" in refused(empty, "search", "x", "--view", "base")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["search", "x", "--vieww", "mood"], "refract search: No such option '--vieww'"),
        (["search"], "refract search: Missing argument 'TEXT...'"),
        (["search", "x", "-k", "0"], "refract search: Invalid value for '-k'"),
        (["serach", "x"], "refract: No such command 'serach'"),
    ],
)
def test_a_mistake_of_usage_is_one_line(empty, words, said):
    told = refused(empty, *words)
    assert told.startswith(said)
    assert "--help'" in told


def test_a_command_by_itself_shows_its_help(empty):
    assert "Start:" in refract(empty).err


def test_a_run_searches_and_a_second_run_does_nothing(tmp_path, tiny_model):
    root = make_world(tmp_path / "world", str(tiny_model))
    first = process(root, "run")
    assert first.returncode == 0, first.stderr
    assert "72 texts kept" in first.stdout
    stages = ("ingest", "embed", "fit", "materialise")
    assert first.stdout.startswith("".join(f"run: {stage} …\n" for stage in stages))
    assert not first.stderr
    assert (root / ".refract" / "prefect").is_dir()
    assert "run: nothing to do" in refract(root, "run").out
    found = refract(root, "search", "i am furious", "--view", "mood", "-k", "3", "--json")
    hits = json.loads(found.out)
    assert [hit["label"] for hit in hits] == ["angry"] * 3
    state = json.loads(refract(root, "status", "--json").out)
    assert state["instructions"]["mood"]["rows"] == 72
    (root / "data" / "labels" / "mood.csv").write_text("id,label\nt01,angry\n")
    for _ in range(2):
        assert "mood.csv" in refused(root, "fit", "mood")
    told = process(root, "search", "x", "--view", "mood", "-k", "0")
    assert told.returncode == 2
    assert "0 is not in the range" in told.stderr
    assert told.stderr.count("\n") == 1, told.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_fault(tmp_path, closed):
    command = ["sh", "-c", f'"$@" {closed}', "sh", sys.executable, "-m", "flows", "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    assert not done.stderr
