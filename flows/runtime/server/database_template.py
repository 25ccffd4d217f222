"""A migrated database of Prefect's server, kept a version of Prefect: to make one takes seconds."""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from tasks.core.workspace.files import replacing
from tasks.core.workspace.user_state import HOMELESS

_FOLDER = "refract"
_LIMIT = 1 << 26  # bytes; one of Prefect 3.8 has 0.7 MB

_App = Callable[[Any, Any, Any], Awaitable[None]]


def lay(database: Path, version: str) -> bool:
    """Lay a copy of the template of `version` at `database`; tell whether there was one.

    Does nothing where a database is there already.
    """
    template = _place(version)
    content = None if template is None or database.exists() else _read(template)
    if content is None:
        return False
    try:
        with replacing(database, private=True) as file:
            file.write(content)
    except OSError:
        return False
    return True


def keeping(app: _App, database: Path, version: str) -> _App:
    """Return `app`, which keeps its new database as the template between start and first request.

    At that moment it holds tables and the types of blocks, and nothing of any workspace.
    """

    async def started(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return

        async def told(message: Any) -> None:
            if message["type"] == "lifespan.startup.complete":
                keep(database, version)
            await send(message)

        await app(scope, receive, told)

    return started


def keep(database: Path, version: str) -> None:
    """Keep a copy of `database` as the template of `version`, where there is a place for it."""
    template = _place(version)
    if template is None:
        return
    with suppress(OSError, sqlite3.Error):
        template.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(".tmp", f".{template.name}.", template.parent)  # mode 600
        os.close(handle)
        try:
            with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(name)) as to:
                source.backup(to)
                to.execute("DELETE FROM configuration")  # such as a number by which one is known
                to.commit()
                to.execute("PRAGMA journal_mode = DELETE")  # one file, which says so itself
                to.execute("VACUUM")
            Path(name).replace(template)
        finally:
            Path(name).unlink(missing_ok=True)


def _read(template: Path) -> bytes | None:
    """Return the template's content where it is whole, and this user's alone to write."""
    with suppress(OSError, sqlite3.Error):
        handle = os.open(template, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            about = os.fstat(file.fileno())
            ours = about.st_uid == os.geteuid() and not stat.S_IMODE(about.st_mode) & 0o077
            if not ours or not stat.S_ISREG(about.st_mode) or about.st_size > _LIMIT:
                return None
            content = file.read()
        with closing(sqlite3.connect(":memory:")) as copy:
            copy.deserialize(content)
            if copy.execute("PRAGMA quick_check").fetchone() == ("ok",):
                copy.execute("SELECT version_num FROM alembic_version").fetchone()
                return content
    return None


def _place(version: str) -> Path | None:
    """Return where the template lies: in the user's folder of caches, where there is one."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    if Path(named).is_absolute():
        base = Path(named)
    elif HOMELESS in os.environ:
        return None
    else:
        try:
            base = Path.home() / ".cache"
        except RuntimeError:
            return None
    return base / _FOLDER / f"prefect-{version}.sqlite"
