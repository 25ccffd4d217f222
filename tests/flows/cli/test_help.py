"""The command line's help, its way to another folder, and its exit codes."""

import json

import pytest
from click.testing import CliRunner

from flows.cli.verbs import HEADINGS, cli


def helped(columns="80"):
    return CliRunner().invoke(cli, ["--help"], env={"COLUMNS": columns}).output


def test_every_verb_is_below_one_heading_with_its_whole_summary():
    said = " ".join(helped().split())
    listed = [command for commands in HEADINGS.values() for command in commands]
    assert sorted(command.name for command in listed) == sorted(cli.commands)
    for heading in HEADINGS:
        assert f"{heading}:" in said
    for command in listed:
        summary = command.help.split("\n\n")[0].replace("\n", " ")
        assert f"{command.name} {' '.join(summary.split()).removesuffix('.')}" in said


@pytest.mark.parametrize("columns", ["50", "80", "200"])
def test_help_is_never_cut(columns):
    assert "..." not in helped(columns).replace("[ARGS]...", "")


def test_the_help_tells_the_exit_codes():
    assert "2 the input cannot be used" in " ".join(helped().split())


def test_every_verb_that_tells_something_tells_it_as_json():
    silent = {"init", "serve", "explore", "suggest"}  # suggest: --format jsonl
    for name, command in cli.commands.items():
        takes = any("--json" in option.opts for option in command.params)
        assert takes != (name in silent), name


def test_verbs_work_in_the_folder_of_the_option(tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    made = CliRunner().invoke(cli, ["-C", "a", "-C", "b", "init", "ws"], catch_exceptions=False)
    assert made.exit_code == 0
    assert (tmp_path / "a" / "b" / "ws" / "params.yaml").is_file()


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    found = CliRunner().invoke(cli, ["-C", str(tmp_path / "no"), "status"])
    assert "No such file or directory; expected a folder" in str(found.exception)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_are_told_how_to_complete(shell):
    said = CliRunner().invoke(
        cli, env={"_REFRACT_COMPLETE": f"{shell}_source"}, prog_name="refract"
    )
    assert "_REFRACT_COMPLETE" in said.output


def test_verbs_are_completed():
    env = {"_REFRACT_COMPLETE": "bash_complete", "COMP_WORDS": "refract mat", "COMP_CWORD": "1"}
    said = CliRunner().invoke(cli, env=env, prog_name="refract")
    assert said.output.strip() == "plain,materialise"


def test_json_of_nothing_to_do_says_why(made, monkeypatch):
    monkeypatch.chdir(made)
    said = CliRunner().invoke(cli, ["embed", "--json"], catch_exceptions=False)
    assert json.loads(said.output) == {"nothing_to_do": "up to date"}
