"""Whom the user trusts: noted outside of every workspace, so that none can say it of itself."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import digest, write_bytes
from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import TrustNote
from tasks.core.workspace.user_state import lasting_state, user_state

EVERYWHERE = "REFRACT_TRUST"  # '*', or folders as in PATH: for containers and CI
_TOKEN_BYTES = 16
_PLACE = "refract/trust"
_APART = "refract/apart"  # a folder a workspace that came from elsewhere


@dataclass(frozen=True)
class Trust:
    """What the user has agreed to: `known` names each reach; a workspace made here needs none."""

    made_here: bool
    known: frozenset[str]


def granted_by_environment(paths: Paths) -> bool:
    """Tell whether the environment vouches for the workspace, or for all."""
    root = paths.root.resolve()
    for entry in os.environ.get(EVERYWHERE, "").split(os.pathsep):
        if entry == "*":
            return True
        if entry and Path(entry).is_absolute():
            folder = Path(entry).resolve()
            if folder == root or folder in root.parents:
                return True
    return False


def read_trust(paths: Paths) -> Trust | None:
    """Return what was agreed to for this folder; None: nothing, or it is not the same any more.

    A secret in `.refract` is compared with the note, so that another workspace that is unpacked in
    the place of one that was trusted is a stranger.
    """
    note = _note(paths)
    found = None if note is None else read_manifest(note, TrustNote)
    token = _token(paths)
    if found is None or token is None or not secrets.compare_digest(found.token, digest(token)):
        return None
    return Trust(found.made_here, frozenset(found.known))


def write_trust(paths: Paths, known: frozenset[str], *, made_here: bool) -> None:
    """Note that the user agrees; InputError where there is no place for the note."""
    note = _note(paths)
    if note is None:
        raise InputError(
            "trust: found no home folder to note it in; expected one; set XDG_STATE_HOME, or"
            f" {EVERYWHERE}={paths.root.resolve()} where nobody can be asked"
        )
    if paths.state.is_symlink():
        raise InputError(
            f"{paths.state}: found a link; expected a folder of the workspace's own; remove it"
        )
    token = _token(paths)
    if token is None:
        token = secrets.token_hex(_TOKEN_BYTES)
        write_bytes(paths.trust_token, token.encode(), private=True)
    note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = TrustNote(
        root=str(paths.root.resolve()),
        token=digest(token),
        made_here=made_here,
        known=sorted(known),
    )
    write_manifest(note, about, private=True)


def forget_trust(paths: Paths) -> bool:
    """Take the agreement back; tell whether there was one."""
    note = _note(paths)
    if note is None or not note.is_file():
        return False
    note.unlink()
    return True


def apart(paths: Paths) -> Path | None:
    """Return the folder outside of the workspace for what must not come with it, if there is a
    home: Prefect runs what `logging.yml` in its folder names, and a page the script it is given."""
    base = user_state()
    return None if base is None else base / _APART / _name(paths)


def _note(paths: Paths) -> Path | None:
    base = lasting_state()
    return None if base is None else base / _PLACE / f"{_name(paths)}.json"


def _name(paths: Paths) -> str:
    return digest(str(paths.root.resolve()))


def _token(paths: Paths) -> str | None:
    file = paths.trust_token
    if file.is_symlink() or paths.state.is_symlink() or not file.is_file():
        return None
    return file.read_text("utf-8", "replace").strip() or None
