"""The label files of a workspace: those in data/labels, and the columns that params.yaml names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tasks.core.labels.corpus_column import column_part, with_column
from tasks.core.labels.files import LabelFile, LabelFiles, OwnColumns, label_files
from tasks.core.settings.params import load_params
from tasks.core.store.layout import exists
from tasks.core.text.near_names import listed
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifests import IngestStamp
from tasks.core.workspace.one_look import once, read_manifest
from tasks.core.workspace.paths import Paths


def label_sources(paths: Paths) -> LabelFiles:
    """List the label files, by instruction; a column has none before there is a corpus.

    A column and files of one instruction count together, as files in its folder do.
    """
    params, corpus = load_params(paths.params), read_manifest(paths.stamp("ingest"), IngestStamp)
    files = label_files(paths.labels)
    if corpus is not None and (exists(paths.corpus_table) or paths.earlier_corpus.is_file()):
        for name, column in params.columns().items():
            try:
                _check_table(paths)
                part = column_part(paths.corpus_table, column, corpus.columns, corpus.renamed)
                files[name] = with_column(files.get(name), part, name)
            except InputError as error:
                files.errors[name] = error
                files.pop(name, None)
    own = OwnColumns(params.ingest.id, params.ingest.text)
    for name, file in files.items():
        files[name] = replace(file, own=own)
    return files


def aspect_files(
    paths: Paths, name: str, aspects: Sequence[str]
) -> dict[str, LabelFile | InputError]:
    """Return the label files of what view `name` is without, or why there are none of an aspect."""
    files = once("label sources", lambda: label_sources(paths)) if aspects else LabelFiles()
    return {
        aspect: files.errors.get(aspect) or files.get(aspect) or _unknown(name, aspect, files)
        for aspect in aspects
    }


def _unknown(name: str, aspect: str, files: LabelFiles) -> InputError:
    known = listed(aspect, [other for other in files if other != name])
    return InputError(
        f"params.yaml: instructions.{name}.without: found no labels of {aspect!r}; expected an"
        f" aspect that has some, one of: {known}; put labels at data/labels/{aspect}.csv,"
        " or take it out"
    )


def _check_table(paths: Paths) -> None:
    if not exists(paths.corpus_table):
        raise InputError(
            f"{paths.inside(paths.earlier_corpus)}: found the corpus as an earlier version kept it;"
            " expected a table; run 'refract run', which makes it"
        )
