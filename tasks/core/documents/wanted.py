"""What the section `ingest` of params.yaml says of how documents are read."""

from __future__ import annotations

from tasks.core.readers.columns import Wanted
from tasks.core.readers.formats import Hints
from tasks.core.settings.table_sections import IngestSettings


def wanted(settings: IngestSettings) -> Wanted:
    """Return which columns matter, and how files are written as far as the settings say so."""
    named = (settings.id, settings.text, *(settings.metadata or ()))
    hints = Hints(
        delimiter=settings.delimiter,
        quoting=settings.quoting,
        header=settings.header,
        encoding=settings.encoding,
        columns=tuple(name for name in named if name),
    )
    return Wanted(settings.id, settings.text, settings.metadata, hints)
