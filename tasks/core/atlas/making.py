"""Maps made in a process of its own, which gives way to whoever searches meanwhile.

Run as a script, this file is that process: it is told what to make by a line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tasks.core.atlas.coordinates import Advance, Source, coordinates
from tasks.core.atlas.kept import ViewMap, read

_GIVES_WAY = 10  # niceness: a search that comes meanwhile has the processor first


@dataclass(frozen=True)
class Wanted:
    """A map that is to lie in `folder`, or nowhere; first: ids that are laid out before others."""

    source: Source
    folder: Path | None
    first: tuple[str, ...] = ()


def make(wanted: Sequence[Wanted], advance: Advance = lambda _: None) -> list[ViewMap]:
    """Return the maps of some tables of one corpus, all others laid upon the first of them."""
    there = [
        None if each.folder is None else read(each.folder, each.source.state) for each in wanted
    ]
    maps: list[ViewMap] = []

    def told(share: float) -> None:
        advance((there[: len(maps)].count(None) + share) / there.count(None))

    for each, kept_map in zip(wanted, there, strict=True):
        made = kept_map
        if made is None:
            base, first = maps[0] if maps else None, each.first
            made = coordinates(each.source, each.folder, towards=base, first=first, advance=told)
        maps.append(made)
    return maps


def make_apart(wanted: Sequence[Wanted], advance: Advance = lambda _: None) -> None:
    """Make the same in a process of its own; they lie in their folders then.

    It ends with this process, even if that is killed: then its input ends. RuntimeError with what
    it said last where it fails.
    """
    command = [sys.executable, "-P", "-m", __name__]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        said: list[str] = []
        listener = threading.Thread(target=lambda: said.extend(process.stderr or ()))
        listener.start()
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("maps: the process that makes them has no pipes")
        with suppress(BrokenPipeError):  # it has ended, and says why below
            process.stdin.write(json.dumps([_as_json(each) for each in wanted]) + "\n")
            process.stdin.flush()
        for line in process.stdout:
            advance(float(line))
        process.wait()
        listener.join()
    if process.returncode:
        last = next((line.strip() for line in reversed(said) if line.strip()), "")
        raise RuntimeError(f"maps: not made: {last or f'exit code {process.returncode}'}")


def _as_json(each: Wanted) -> dict[str, object]:
    source = each.source
    return {
        "table": str(source.table),
        "version": source.version,
        "transform": source.transform,
        "made_by": None if source.made_by is None else str(source.made_by),
        "storage": source.storage,
        "folder": None if each.folder is None else str(each.folder),
        "first": each.first,
    }


def _main() -> None:
    told = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(_GIVES_WAY)
    wanted = [
        Wanted(
            Source(
                Path(each["table"]),
                each["version"],
                each["transform"],
                None if each["made_by"] is None else Path(each["made_by"]),
                each["storage"],
            ),
            None if each["folder"] is None else Path(each["folder"]),
            tuple(each["first"]),
        )
        for each in told
    ]
    make(wanted, lambda share: print(f"{share:.3f}", flush=True))


def _end_with_parent() -> None:
    os.read(0, 1)  # nothing more is ever sent
    os._exit(1)


if __name__ == "__main__":
    _main()
