"""Where a table lies: in the folder at its path, or in a store, where a pointer at its path leads.

A pointer is a small JSON file in the place of the folder. It says which version of the table this
workspace means, so that all readers here see that one, and nothing of a store has to be asked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.core.remote.manifests import StoreOptions, TablePointer
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.manifest import read_manifest

LIVE = "live"  # the tag that readers of a view follow
_NO_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_OF_A_STORE = re.compile(
    r"Generic S3 error|LanceError\(IO\)|not found|[Cc]onflict|remote file|error sending request"
)
_OFTEN = "1000"  # tries of a request: the time is what bounds them


@dataclass(frozen=True)
class Location:
    """What Lance asks for: a folder or a URL, and how it is reached."""

    uri: str
    options: dict[str, str] | None


def pointer_at(table: Path) -> TablePointer | None:
    """Return the pointer at a table's path; None for a folder, or where there is nothing.

    InputError for a file that is no pointer to a store.
    """
    if not table.is_file():
        return None
    found = read_manifest(table, TablePointer)
    if found is None or not found.url or "options" in found.odd:
        raise InputError(
            f"{table}: found a file that leads to no table; expected a pointer to one in an object"
            " store, or a folder; run 'dvc checkout', or 'refract checkout REVISION'"
        )
    return found


def location_of(table: Path) -> Location:
    """Return where the table at this path lies."""
    pointer = pointer_at(table)
    return Location(str(table), None) if pointer is None else behind(pointer)


def behind(pointer: TablePointer) -> Location:
    """Return where a pointer leads."""
    return Location(pointer.url, storage_options(pointer.options))


def storage_options(options: StoreOptions) -> dict[str, str]:
    """Return the same as Lance calls it; keys it finds in the environment by itself."""
    found = {
        "client_max_retries": _OFTEN,
        "client_retry_timeout": str(max(1, round(options.patience))),
        "lance_aimd_max_retries": "0",  # or all of it is waited for three times more
    }
    if options.region is not None:
        found["aws_region"] = options.region
    if options.endpoint is not None:
        found |= {"aws_endpoint": options.endpoint.rstrip("/")}
        found |= {"allow_http": "true"} if options.endpoint.startswith("http://") else {}
    if options.virtual_hosted:
        found["aws_virtual_hosted_style_request"] = "true"
    if not options.bulk_delete:
        found["aws_disable_bulk_delete"] = "true"
    return found


@contextmanager
def answering(where: Location) -> Iterator[None]:
    """Turn what a store's client says into one line with the way on, and without any key."""
    if where.options is None:
        yield
        return
    try:
        yield
    except InputError:
        raise
    except (ValueError, OSError, RuntimeError) as error:
        if not _OF_A_STORE.search(str(error)):
            raise  # of a question, or of this machine
        raise InputError(
            f"{where.uri}: {_said(error)}; expected an object store that answers, and lets the keys"
            " in the environment read and write; what was whole before still is: see to it, then"
            " run the same command again"
        ) from None  # what the store said may repeat a key, and a log shows causes


def _said(error: BaseException) -> str:
    """Return the beginning of what went wrong: no page of the store's, nor a key of the user's."""
    words = str(error).strip().split("\n", 1)[0]
    words, _, page = words.partition(": <?xml")
    code = re.search(r"<Code>([A-Za-z0-9]{1,80})</Code>", page or str(error))
    words = re.sub(r", /\S+:\d+:\d+$", "", words)
    words = re.sub(r"^(LanceError\(IO\): )?(Generic S3 error: )?", "", words)
    for name in _NO_KEYS:
        value = os.environ.get(name)
        words = words.replace(value, "…") if value else words
    words = words[:300]
    return f"{words} ({code[1]})" if code else words


def set_tag(dataset: Any, tag: str, version: int) -> None:
    """Let a tag name `version`, whether or not it named another before."""
    known = dataset.tags.list().get(tag)
    if known is None:
        dataset.tags.create(tag, version)
    elif int(known["version"]) != version:
        dataset.tags.update(tag, version)
