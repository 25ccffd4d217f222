"""One vocabulary: verbs, stages, sections, paths and the README's commands name the same things."""

import itertools
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from flows.cli.verbs import cli
from flows.init import PIPELINE, make_workspace
from tasks.core.settings.params import Params, load_params, render_params
from tasks.core.workspace.paths import Paths
from tasks.record import STAGES

ROOT = Path(__file__).parents[1]
VERBS = ("ingest", "embed", "fit", "materialise")


def stages():
    return yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]


def entries(stage, kind):
    """Return the paths under `kind`, with or without settings beside them."""
    return [next(iter(item)) if isinstance(item, dict) else item for item in stage.get(kind, [])]


def test_stages_verbs_sections_tasks_and_flows_have_the_same_names():
    assert tuple(stages()) == VERBS == STAGES
    assert set(VERBS) <= set(cli.commands)
    assert set(VERBS) <= set(Params.model_fields)
    for verb in VERBS:
        assert (ROOT / "flows" / f"{verb}.py").is_file()
        assert (ROOT / "tasks" / f"{verb}.py").is_file()


def test_each_stage_calls_its_verb_and_depends_on_its_section():
    for verb, stage in stages().items():
        assert stage["cmd"] == f"refract {verb}"
        assert verb in stage["params"]
        assert set(stage["params"]) <= set(Params.model_fields)


def test_every_path_in_the_pipeline_is_one_that_paths_knows():
    paths = Paths(ROOT)
    known = {
        paths.inside(path)
        for path in (
            *(paths.raw, paths.labels, paths.corpus, paths.vectors, paths.transforms, paths.views),
            *(paths.corpus_figures, paths.metric_folder, paths.score_table, paths.shift_table),
            *(paths.rejected_documents.parent, paths.rejection("x").parent),
        )
    }
    used = {
        path
        for stage in stages().values()
        for kind in ("deps", "outs", "metrics", "plots")
        for path in entries(stage, kind)
    }
    assert used == known


def test_what_a_verb_reads_is_an_input_or_what_an_earlier_verb_made():
    there = {"data/raw", "data/labels"}
    for verb, stage in stages().items():
        assert set(entries(stage, "deps")) <= there, verb
        there |= {path for kind in ("outs", "metrics", "plots") for path in entries(stage, kind)}


def test_every_output_that_grows_is_kept_by_repro():
    for verb, stage in stages().items():
        for kind in ("outs", "metrics", "plots"):
            for item in stage.get(kind, []):
                assert isinstance(item, dict), f"{verb}: {item}"
                assert next(iter(item.values()))["persist"] is True


def test_the_sample_has_the_settings_and_stages_that_init_writes(tmp_path):
    make_workspace(tmp_path / "new", git=False)
    new, here = Paths(tmp_path / "new"), Paths(ROOT)
    assert here.pipeline.read_bytes() == new.pipeline.read_bytes() == PIPELINE.encode()
    sample = load_params(here.params)
    assert sample == Params(instructions=sample.instructions)
    assert here.params.read_text("utf-8") == render_params(sample)


def commands():
    """Return every `refract …` line inside the README's code blocks."""
    text = (ROOT / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```[^\n]*\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line for line in lines if re.match(r"(\.venv/bin/)?refract\s", line)]


def parse(words):
    """Let click parse a command line, without calling it."""
    context = cli.make_context("refract", list(words))
    rest = [*context._protected_args, *context.args]
    name, command, arguments = cli.resolve_command(context, rest)
    command.make_context(name, arguments, parent=context)
    return name


@pytest.mark.parametrize("line", [*commands(), "refract search 'late again' --view mood -k 3"])
def test_every_command_in_the_readme_parses(line):
    if re.search(r"\s(--help|-h|--version)\b", line):
        return
    words = shlex.split(line, comments=True)[1:]
    assert parse(itertools.takewhile(lambda word: word != ">", words)) in cli.commands


@pytest.mark.parametrize("line", ["serch x", "search --view mood", "fit --forced", "status extra"])
def test_a_command_that_does_not_exist_does_not_parse(line):
    with pytest.raises(click.UsageError):
        parse(shlex.split(line))


def test_help_names_every_verb_with_a_sentence():
    done = subprocess.run(
        [sys.executable, "-m", "flows", "--help"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0
    for name, command in cli.commands.items():
        assert re.search(rf"^  {name}\s+\S", done.stdout, flags=re.MULTILINE), name
        assert command.help


HEAVY = {"torch", "prefect", "sentence_transformers", "transformers", "sklearn"}
NUMBERS = {"lancedb", "lance", "polars", "numpy"}


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("flows.cli", HEAVY | NUMBERS | {"click", "pydantic"}),  # another process may run it
        ("flows.cli.verbs", HEAVY | NUMBERS),
        ("tasks.core.views.search", HEAVY | NUMBERS - {"numpy"}),
        ("flows.state.status", HEAVY),  # decides on what is stale, at the start of any verb
    ],
)
def test_the_command_line_imports_nothing_heavy_before_it_must(module, heavy):
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert heavy.isdisjoint(done.stdout.split())
