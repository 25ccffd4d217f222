"""A process that is killed at the n-th thing that it does to files, for every n in turn.

What counts is what Python itself reports to an audit hook (a file opened for writing, renamed,
linked or removed, a folder made or removed, a program started), `fsync`, and what Lance does.
"""

from __future__ import annotations

import itertools
import json
import os
import pkgutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.children import Child

_EVENTS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink")
_LANCE = (
    "lance.fragment.write_fragments",
    "lance.LanceDataset.commit",
    "lance.LanceDataset.add_columns",
    "lance.LanceDataset.drop_columns",
    "lance.LanceDataset.restore",
    "lance.LanceDataset.cleanup_old_versions",
    "lance.dataset.Tags.create",
    "lance.dataset.Tags.update",
)


class Operations:
    """Counts what is done below `root`; the `last` of them, from 1, is never done."""

    def __init__(self, root: Path, last: int | None, log: Path) -> None:
        self._root, self._last, self._log = str(root), last, log
        self._done = 0

    def watch(self) -> None:
        """Look at everything that this process does from here on."""
        self._wrap("os.fsync", "fsync")
        for target in _LANCE:
            self._wrap(target, target.removeprefix("lance."))
        sys.addaudithook(self._audit)

    def _wrap(self, target: str, name: str) -> None:
        owner_name, _, attribute = target.rpartition(".")
        owner = pkgutil.resolve_name(owner_name)
        real = getattr(owner, attribute)

        def counted(*arguments: Any, **options: Any) -> Any:
            self._count(name)
            return real(*arguments, **options)

        setattr(owner, attribute, staticmethod(counted) if target.endswith("t.commit") else counted)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen":
            words = [os.fspath(word) for word in arguments[1]]
            told = [word for word in words[1:8] if isinstance(word, str)]
            self._count(f"start {Path(words[0]).name} {' '.join(told)}")
        elif event == "open":
            path, mode, flags = arguments
            writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) if flags else mode != "r"
            if writes and self._is_below(path):
                self._count(f"open {path}")
        elif event in _EVENTS and any(self._is_below(path) for path in arguments):
            if event == "os.mkdir" and Path(arguments[0]).is_dir():
                return
            self._count(f"{event} {arguments[0]}")

    def _is_below(self, path: object) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return False
        return str(Path(os.fsdecode(path)).absolute()).startswith(self._root)

    def _count(self, what: str) -> None:
        if what.endswith(".lock") or "hashes.json" in what:  # never read, or only a memory
            return
        self._done += 1
        if self._last is None:
            with self._log.open("a") as file:
                file.write(json.dumps(what.replace(self._root, "")) + "\n")
        elif self._done == self._last:
            os.kill(os.getpid(), signal.SIGKILL)


def _doomed(root: Path, last: int | None, log: Path, call: Callable[..., Any], *more: Any) -> None:
    import lance  # noqa: F401 - what is wrapped must be there

    Operations(root, last, log).watch()
    call(root, *more)


def operations(url: str, root: Path, log: Path, call: Callable[..., Any], *more: Any) -> list[str]:
    """Let `call(root, …)` run to its end in a child; return what it did to files."""
    said = log.with_suffix(".said")
    child = Child(url, root, said, _doomed, root, None, log, call, *more)
    assert child.wait() == 0, said.read_text()
    return [json.loads(line) for line in log.read_text().splitlines() if "kills.log" not in line]


def killed_at(url: str, root: Path, last: int, call: Callable[..., Any], *more: Any) -> bool:
    """Let it run until its `last` operation; False where it ended before it came to that."""
    log = root.parent / "killed.log"
    child = Child(url, root, log, _doomed, root, last, log, call, *more)
    code = child.wait()
    assert code in (0, -signal.SIGKILL), f"exit code {code}\n{log.read_text()}"
    return code != 0


def kill_at(target: str, nth: int, when: str) -> None:
    """Let the `nth` call of `target` end this process, before or after it does its work."""
    owner_name, _, name = target.rpartition(".")
    owner = pkgutil.resolve_name(owner_name)
    real, calls = getattr(owner, name), itertools.count(1)

    def deadly(*arguments: Any, **options: Any) -> Any:
        last = next(calls) == nth
        if last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*arguments, **options)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, deadly)
