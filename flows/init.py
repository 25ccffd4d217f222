"""A new workspace: settings, stages, folders, and a git + DVC repository if wanted."""

from __future__ import annotations

from pathlib import Path

from tasks.core.settings.params import Params, render_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import write_text
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.trusting import write_trust
from tasks.versioning.run_git_and_dvc import make_repository, place_of

PIPELINE = """\
# The same four verbs as the command line; `dvc repro` rebuilds all from the inputs.
# `persist`: the verbs work incrementally, so DVC must not remove what is there.
stages:
  ingest:
    cmd: refract ingest
    params: [ingest]
    deps: [data/raw]
    outs:
      - data/corpus: {persist: true}
      - data/quarantine/documents: {persist: true}
    metrics:
      - data/metrics/corpus.json: {cache: false, persist: true}
  embed:
    cmd: refract embed
    params: [embed]
    deps: [data/corpus]
    outs:
      - data/vectors: {persist: true}
  fit:
    cmd: refract fit
    params: [fit, instructions]
    deps: [data/labels, data/vectors]
    outs:
      - data/transforms: {persist: true}
      - data/quarantine/labels: {persist: true}
    metrics:
      - data/metrics/scores: {cache: false, persist: true}
    plots:
      - data/metrics/scores.csv:
          {cache: false, persist: true, template: bar_horizontal, x: triplets_after, y: instruction}
      - data/metrics/shifts.csv:
          {cache: false, persist: true, template: bar_horizontal, x: score, y: bar}
  materialise:
    cmd: refract materialise
    params: [instructions, materialise]
    deps: [data/vectors, data/transforms]
    outs:
      - data/views: {persist: true}
"""


def make_workspace(folder: Path, *, git: bool) -> list[str]:
    """Make what is missing in `folder` and return what was done, a line each."""
    paths = Paths(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; expected a folder or a new name")
    if paths.params.exists() or paths.pipeline.exists():
        raise InputError(f"{folder}: holds a workspace already; choose another folder")
    _refuse_nesting(folder)
    for made in (paths.raw, paths.labels):
        made.mkdir(parents=True, exist_ok=True)
    write_text(paths.params, render_params(Params()))
    write_text(paths.pipeline, PIPELINE)
    done = [f"{folder}: a new workspace; settings in params.yaml, stages in dvc.yaml"]
    here = place_of(folder) is None  # else it is a part of what may have come from elsewhere
    if git:
        make_repository(folder)
        done.append("a git + DVC repository: 'refract run' records in it; nothing is committed yet")
    done += _note_as_made_here(paths) if here else []
    done += [
        "next: documents into data/raw (or 'refract ingest FILE'), labels into"
        " data/labels/INSTRUCTION.csv (id,label), then 'refract run'; without labels, 'refract run'"
        " and then 'refract explore', to label in a browser"
    ]
    return done


def _note_as_made_here(paths: Paths) -> list[str]:
    """Note that nobody has to be asked what this workspace may do; say so where that fails."""
    try:
        write_trust(paths, frozenset(), made_here=True)
    except (InputError, OSError) as error:
        return [f"not noted as made here ({error}): 'refract trust' will ask what it may do"]
    return []


def _refuse_nesting(folder: Path) -> None:
    for parent in folder.resolve().parents:
        if Paths(parent).params.is_file() and Paths(parent).pipeline.is_file():
            raise InputError(
                f"{folder}: lies inside the workspace {parent}, whose DVC would take it for its"
                " own; choose a folder outside"
            )
