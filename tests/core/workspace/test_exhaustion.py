"""A full disk is one line that names the file, whoever met it first."""

import errno
import sqlite3
import subprocess
import sys

import pyarrow as pa
import pytest

from tasks.core.store import tables
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.exhaustion import exhausted, unwritable
from tasks.core.workspace.files import write_bytes
from tasks.versioning.run_git_and_dvc import RepositoryError

LANCE = "LanceError(IO): Generic LocalFileSystem error: Unable to copy data to file /proc/v.lance"


@pytest.mark.parametrize(
    ("error", "file", "found"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/w/a"), "/w/a", "the disk is full"),
        (OSError(f"{LANCE}: No space left on device (os error 28)"), "/proc/v.lance", "full"),
        (RuntimeError("writing file failed: Disk quota exceeded"), "the workspace", "quota"),
        (sqlite3.OperationalError("database or disk is full"), "the workspace", "full"),
        (pa.ArrowInvalid("Error writing bytes: [errno 28] No space left"), "the workspace", "full"),
        (RepositoryError("dvc add: [Errno 28] No space left: '/proc/c'"), "/proc/c", "full"),
        (OSError(errno.EMFILE, "Too many open files", "/w/a"), "/w/a", "too many files"),
        (OSError(errno.EROFS, "Read-only file system", "/w/a"), "/w/a", "for reading only"),
        (OSError("x.lance: Permission denied (os error 13)"), "the workspace", "permission denied"),
    ],
)
def test_the_cause_is_known_by_number_or_by_words(error, file, found):
    told = exhausted(error)
    assert told.startswith(f"{file}: ")
    assert found in told
    assert "run the same command again" in told


def test_the_cause_of_a_cause_is_found_and_another_error_is_not():
    def refuse(cause):
        try:
            raise InputError("/proc/calls.sqlite: not usable; remove it") from cause
        except InputError as error:
            return exhausted(error)

    assert refuse(sqlite3.OperationalError("disk is full")).startswith(
        "/proc/calls.sqlite: the disk"
    )
    assert (
        refuse(OSError(errno.EACCES, "Permission denied", "/w/a")) is None
    )  # its own words say it
    assert exhausted(ValueError("403: permission denied")) is None
    assert exhausted(KeyError("x")) is None


def test_a_full_disk_is_not_told_as_a_broken_table(tmp_path):
    with pytest.raises(OSError, match="No space"), tables.readable(tmp_path):
        raise OSError("cannot write: No space left on device (os error 28)")


LIMITED = """
import resource, signal, sys
from pathlib import Path
from tasks.core.workspace.exhaustion import exhausted
from tasks.core.workspace.files import write_bytes
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_bytes(Path(sys.argv[1]), bytes(10_000))
except OSError as error:
    print(exhausted(error))
"""


def test_a_write_that_finds_no_room_names_its_file_and_leaves_the_old_one(tmp_path):
    file = tmp_path / "stamp.json"
    write_bytes(file, b"old")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, file],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith(f"{file}: the file would grow beyond the limit")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_a_folder_is_probed_and_left_as_it_was(tmp_path):
    assert unwritable(tmp_path) is None
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    assert unwritable(tmp_path / "file") is None  # no folder at all: another story
