"""What a command must share with the process that runs it: code, environment, and confines."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# Of these each command brings its own; no library reads one when it is imported.
_ITS_OWN = frozenset(
    (
        *("COLUMNS", "LINES", "PWD", "OLDPWD", "SHLVL", "_", "TERM", "COLORTERM", "WINDOWID"),
        *("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "STY", "GPG_TTY", "NO_COLOR"),
        *("PS1", "LS_COLORS", "EDITOR", "VISUAL", "PAGER", "LESS", "MAKEFLAGS", "MAKELEVEL"),
        *("MFLAGS", "DVC_STAGE", "DVC_ROOT", "REFRACT_LINGER", "REFRACT_TRUST"),
    )
)
_ITS_OWN_BEGIN = ("TERM_", "SSH_", "XDG_SESSION_", "TMUX", "VTE_", "KITTY_", "GIT_", "OPENAI_")
_NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
_CONFINES = ("Uid:", "Gid:", "Groups:", "CapEff:", "CapBnd:", "NoNewPrivs:", "Seccomp:")


def identity(environment: Mapping[str, str]) -> str:
    """Name the program that this process is in `environment`: by another name, it is another.

    Covers the package's files, the interpreter and where it imports from, the environment but for
    what each terminal sets, and `confines`.
    """
    parts = [
        *(sys.executable, sys.version, list(code()), list(_libraries())),
        *(sorted(shared(environment).items()), confines(os.getpid())),
    ]
    return hashlib.sha256(json.dumps(parts, default=str).encode("utf-8", "replace")).hexdigest()[
        :32
    ]


def shared(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a library may have read when it was imported."""
    return {
        name: value
        for name, value in environment.items()
        if name not in _ITS_OWN and not name.startswith(_ITS_OWN_BEGIN)
    }


def confines(process: int) -> list[Any]:
    """Return what a process may do: its user and rights, namespaces, root and control group.

    OSError where that may not be known. It is asked of the kernel, and not of the process: one in
    a sandbox must not get out of it by having a command run here.
    """
    place = Path(f"/proc/{process}")
    status = (place / "status").read_text().splitlines()
    return [
        *(line for line in status if line.startswith(_CONFINES)),
        *(str((place / "ns" / name).readlink()) for name in _NAMESPACES),
        str((place / "root").readlink()),
        (place / "cgroup").read_text(),
        (place / "oom_score_adj").read_text(),
        os.getpriority(os.PRIO_PROCESS, process),
        sorted(os.sched_getaffinity(process)),  # libraries count cores when they are imported
    ]


def code() -> Iterator[tuple[str, int, int]]:
    """Yield path, size and time of change of each file of the packages."""
    home = Path(__file__).parents[2]
    waiting = [os.fspath(home / "flows"), os.fspath(home / "tasks")]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                waiting += [entry.path] if entry.name != "__pycache__" else []
            else:
                about = entry.stat()
                yield entry.path, about.st_size, about.st_mtime_ns


def _libraries() -> Iterator[tuple[str, int]]:
    """Yield the folders of packages, which change when something is installed."""
    for folder in sys.path:
        if folder.endswith("-packages") and Path(folder).is_dir():
            yield folder, Path(folder).stat().st_mtime_ns
