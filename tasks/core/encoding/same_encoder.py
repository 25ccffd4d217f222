"""Whether a base table was made as `params.yaml` says: two encoders are not mixed in one."""

from __future__ import annotations

from pathlib import Path

from tasks.core.encoding import base_table
from tasks.core.encoding.vector_space import fingerprint
from tasks.core.settings.table_sections import KINDS, EmbedSettings
from tasks.core.store import layout, tables
from tasks.core.workspace.errors import InputError


def check_encoder(table: Path, settings: EmbedSettings) -> None:
    """Refuse to mix two encoders, or two storage types, in one table."""
    if not layout.exists(table):
        return
    made = base_table.note_of(table)
    stored = {field.name: field.type for field in tables.open_table(table).schema}
    for name, kind in zip(base_table.CODES, KINDS[settings.storage], strict=True):
        if name in stored and stored[name].value_type != base_table.arrow_type(kind):
            what = "vectors" if name == tables.VECTOR else name
            raise InputError(
                f"{table.name}: its {what} are {stored[name]}, but params.yaml says embed.storage:"
                f" {settings.storage}; set it back, or run 'refract embed --rebuild'"
            )
    if made.fingerprint == fingerprint(settings):
        return
    if made.fingerprint == fingerprint(settings.model_copy(update={"features": "last"})):
        raise InputError(
            f"{table.name}: it holds no features of the encoder's layers, but params.yaml says"
            " embed.features: layers; set it to last, or run 'refract embed --rebuild' to add them"
        )
    other = "windows" if settings.long == "cut" else "cut"
    if made.fingerprint == fingerprint(settings.model_copy(update={"long": other})):
        raise InputError(
            f"{table.name}: made with embed.long: {other}, but params.yaml says {settings.long};"
            " set it back, or run 'refract embed --rebuild'"
        )
    then = made.settings
    raise InputError(
        f"{table.name}: made by encoder {then.model!r} (prompt {then.prompt!r},"
        f" max_length {then.max_length}), but params.yaml now says otherwise;"
        " set 'embed' back, and let the other follow by embed.next and 'refract embed --migrate',"
        " or run 'refract embed --rebuild'"
    )
