"""Settings that a verb is given on the command line, or asks for on a terminal, and keeps."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from tasks.core.readers.columns import NoTextError
from tasks.core.settings.params import Params
from tasks.core.settings.table_sections import IngestSettings
from tasks.core.settings.write_setting import write_setting
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.instruction_name import check_name
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.manifests import IngestStamp
from tasks.core.workspace.paths import Paths

Found = TypeVar("Found")
LONG = 200  # characters from which what is said is a list: systems refuse to look for such a file


def is_terminal() -> bool:
    """Tell whether somebody may be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def with_columns(
    paths: Paths,
    params: Params,
    given: dict[str, str],
    check: Callable[[IngestSettings], Found],
) -> tuple[Params, Found]:
    """Return what `check` finds by the columns that are given, and params.yaml with these.

    On a terminal the column of texts is asked for where there is none of a usual name. Nothing is
    written unless `check` takes it: it raises InputError for files without such columns.
    """
    try:
        found = check(params.ingest.model_copy(update=given))
    except NoTextError as error:
        if not error.candidates or not is_terminal():
            raise
        click.echo(f"{error.source}: no column has a usual name of texts", err=True)
        known = click.Choice(error.candidates)
        text = click.prompt("column of the texts", type=known, default=error.candidates[0])
        given = {**given, "text": text}
        found = check(params.ingest.model_copy(update=given))
    for key, column in given.items():
        if getattr(params.ingest, key) != column:
            params = write_setting(paths.params, ("ingest", key), column)
            click.echo(f"params.yaml: ingest.{key} is '{column}' now", err=True)
    return params, found


def name_labels(paths: Paths, names: tuple[str, ...], said: str) -> None:
    """Write what the labels of an instruction are called to where it is read from.

    said: names parted by commas, or a file of them. InputError, and nothing is written, for others.
    """
    from tasks.core.labels.taxonomy import parsed, read_taxonomy, render_taxonomy
    from tasks.core.workspace.files import write_text

    if len(names) != 1:
        raise InputError(
            f"fit --classes: found {len(names)} instructions; expected one whose labels they are;"
            f" such as 'refract fit mood --classes {said!r}'"
        )
    place = paths.classes(check_name(names[0]))
    there = len(said) < LONG and Path(said).exists()
    if "," in said and not there:
        found = parsed(said.split(","), "--classes")
    elif there:
        found = read_taxonomy(Path(said))
    else:
        raise InputError(
            f"--classes: found no file {said!r}; expected one with a label a line, or labels parted"
            " by commas, such as 'calm, angry, hopeful'; correct it"
        )
    text = render_taxonomy(found)
    if not place.is_file() or read_taxonomy(place) != found:
        write_text(place, text)
        click.echo(f"{paths.inside(place)}: {len(found)} labels", err=True)


def label_by_column(paths: Paths, params: Params, names: tuple[str, ...], column: str) -> None:
    """Write into params.yaml that a column of the documents holds the labels of an instruction.

    InputError, and nothing is written, where there is no such column, or no labels in it.
    """
    from tasks.core.labels.corpus_column import column_part, with_column
    from tasks.core.labels.files import label_files
    from tasks.core.labels.reader import labels_alone

    if len(names) != 1:
        raise InputError(
            f"fit --from-column: found {len(names)} instructions; expected one that the column"
            f" labels; such as 'refract fit category --from-column {column!r}'"
        )
    name, corpus = check_name(names[0]), read_manifest(paths.stamp("ingest"), IngestStamp)
    if corpus is None:
        raise InputError("data/corpus: no corpus yet; expected one; run 'refract ingest' first")
    part = column_part(paths.corpus_table, column, corpus.columns, corpus.renamed)
    known = params.instructions.get(name)
    if known is not None and known.column == column:
        return
    file = with_column(label_files(paths.labels).get(name), part, name)
    said = labels_alone(file, params.fit.min_rows, params.fit.separator)
    wording = params.wording(name)
    try:
        write_setting(paths.params, ("instructions", name, "column"), column)
    except InputError:  # where there is a wording, it is not in a mapping
        if wording is None:
            raise
        value = {"wording": wording, "column": column}
        write_setting(paths.params, ("instructions", name), value)
    click.echo(f"params.yaml: instructions.{name}.column is '{column}' now", err=True)
    labels = len({label for answer in said for label in answer.labels})
    what = f"of {corpus.kept:,} texts have a value there"
    if len(file.parts) > 1:
        what = "rows have a label, those of the label files of its name counted"
    click.echo(f"  {len(said):,} {what}; {labels:,} labels", err=True)
