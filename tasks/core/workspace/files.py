"""Files written whole or not at all, and known by their content."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from tasks.core.workspace.errors import InputError

NOTE_LIMIT = 1 << 28  # bytes; the hashes of a million files take half of it
_TICK = 50_000_000  # ns; times of files go by steps of 10 ms at most
_blake = partial(hashlib.blake2b, digest_size=16)


@contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[BinaryIO]:
    """Yield a new file that takes the place of `path`, on disk, if the block ends well.

    A reader sees the old or the new, never a part; folders on the way are made. private: only its
    owner may read it, from the first moment on.
    """
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
        try:
            with open(temporary, "xb", opener=_opener(path, private=private)) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def write_bytes(path: Path, payload: bytes, *, private: bool = False) -> None:
    """Replace `path` by `payload` in one step, as `replacing` does."""
    with replacing(path, private=private) as file:
        file.write(payload)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of the operating system name `path`: a full disk says only that it is full."""
    try:
        yield
    except OSError as error:
        named = error.filename
        if named is None or Path(os.fsdecode(named)).parent == path.parent:
            error.filename = str(path)  # not the temporary file beside it
        raise


def sync_folder(folder: Path) -> None:
    """Let the names in `folder` outlive a power cut, where the operating system can do that."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _opener(path: Path, *, private: bool) -> Callable[[str, int], int]:
    """Return an opener of new files by the umask, and no more open than the file at `path`."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode) | 0o200  # DVC takes the right to write away
    except OSError:
        mode = 0o666
    if private:
        mode = 0o600
    return lambda name, flags: os.open(name, flags, mode & 0o666)


def sweep_beside(path: Path) -> None:
    """Remove what a killed `replacing` has left; the caller is the only one to write `path`."""
    for half in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        half.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Replace `path` by `text` in UTF-8, in one step."""
    write_bytes(path, text.encode("utf-8"))


def check_place(path: Path) -> None:
    """Refuse a place for a new file that is a folder itself, or in a folder that is not there."""
    if path.is_dir() or not path.parent.is_dir():
        found = "a folder" if path.is_dir() else f"no folder {path.parent}"
        raise InputError(f"{path}: found {found}; expected a file name in an existing folder")


def as_json(value: Any) -> bytes:
    """Return `value` as JSON with sorted keys, so that equal values are equal bytes."""
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    return f"{text}\n".encode()


def write_json(path: Path, value: Any) -> None:
    """Replace `path` by `value` as JSON, in one step."""
    write_bytes(path, as_json(value))


def check_regular(path: Path) -> None:
    """Refuse a pipe, a device or a folder: opening one may wait for ever."""
    if path.is_file() or not path.exists():
        return
    found = "a folder" if path.is_dir() else "a pipe, socket or device"
    raise InputError(f"{path}: found {found}; expected a regular file; copy it into one")


def read_json(path: Path) -> dict[str, object] | None:
    """Return the object in `path`, or None if it is missing, beyond bounds or no JSON object."""
    try:
        if not path.is_file():
            return None
        with path.open("rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size > NOTE_LIMIT:
                return None
            value = json.loads(str(file.read(), "utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def digest(*parts: object) -> str:
    """Return 32 hex digits that name `parts` (any JSON values)."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=str)
    return content_hash(text.encode("utf-8", "surrogatepass"))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_hash(content: Path | bytes) -> str:
    """Return the BLAKE2b-128 of a file or of bytes, as 32 hex digits."""
    if isinstance(content, bytes):
        return _blake(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, _blake).hexdigest()


def look(path: Path) -> tuple[tuple[int, ...], bool]:
    """Return what is another whenever a file has changed, and whether that can be relied upon.

    Not where it has changed just now: what follows at once may have the same times. OSError where
    it cannot be looked at.
    """
    about, moment = path.stat(), time.time_ns()
    seen = (about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino)
    return seen, abs(moment - about.st_ctime_ns) > _TICK


class Hashes:
    """Content hashes of files, remembered by size and times of change as git's index does.

    The time of modification can be set at will, that of the last change cannot. A file that has
    changed just now is not remembered (see `look`).
    """

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        known = (read_json(memory) or {}).get("files")
        self._known: dict[str, list[Any]] = known if isinstance(known, dict) else {}
        self._changed = False

    def of(self, path: Path) -> str:
        """Return the `content_hash` of `path`; InputError where it cannot be read."""
        try:
            return self._of(path)
        except OSError as error:
            raise InputError(
                f"{path}: {error.strerror}; expected a readable file; restore or remove it"
            ) from error

    def seal(self, path: Path) -> str | None:
        """Return the SHA-256 of `path`, or None where it cannot be read."""
        try:
            return self._of(path, "sha256")
        except OSError:
            return None

    def of_part(self, path: Path, part: str, make: Callable[[], str]) -> str:
        """Return the hash that `make` gives a part of `path`, made anew only when that changes."""
        return self._of(path, f"part {part}", make)

    def _of(self, path: Path, how: str = "", make: Callable[[], str] | None = None) -> str:
        seen, rests = look(path)
        name = os.fsencode(path.absolute()).decode("utf-8", "backslashreplace")
        key = f"{how}:{name}" if how else name
        known = self._known.get(key)
        if isinstance(known, list) and known[:-1] == list(seen):
            return str(known[-1])
        value = make() if make else _sha256(path) if how else content_hash(path)
        if rests:
            self._known[key] = [*seen, value]
            self._changed = True
        return value

    def all(self, paths: Iterable[Path]) -> list[str]:
        """Return the hashes of `paths` in their order, and remember them."""
        values = [self.of(path) for path in paths]
        self.save()
        return values

    def save(self) -> None:
        """Write the hashes down if any are new."""
        if self._changed:
            with suppress(OSError):  # only a memory: a read-only workspace can still be looked at
                write_json(self._memory, {"files": self._known})
            self._changed = False


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there; a folder is gone at once, whatever happens."""
    if path.is_dir() and not path.is_symlink():
        aside = path.with_name(f".{path.name}.tmp")
        shutil.rmtree(aside, ignore_errors=True)
        path.replace(aside)
        shutil.rmtree(aside)
    else:
        path.unlink(missing_ok=True)
