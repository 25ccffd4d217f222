"""A disk that is full: one line, nothing lost, and with some room again the right end."""

import os
import shutil
import subprocess
import sys

import pytest

from flows.cli import main
from tests.same import assert_same
from tests.world import make_world

pytestmark = pytest.mark.server
VERBS = ("ingest", "embed", "fit", "materialise", "run")


@pytest.fixture
def disk(tmp_path):
    """A small disk of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ("mount", "-t", "tmpfs", "-o", "size=12m", "none", str(place))
    if sys.platform != "linux" or os.geteuid() or subprocess.run(command).returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(("umount", "--lazy", str(place)), check=True)


def fill(disk, room):
    """Leave `room` bytes."""
    free = shutil.disk_usage(disk).free
    (disk / "filler").write_bytes(bytes(max(0, free - room)))


def refract(monkeypatch, capfd, *words):
    """Return the exit status of the command line, and what it said on stderr."""
    monkeypatch.setattr(sys, "argv", ["refract", *words])
    capfd.readouterr()
    try:
        main()
    except SystemExit as end:
        return end.code, capfd.readouterr().err
    return 0, capfd.readouterr().err


@pytest.mark.parametrize("room", [0, 24_576])
def test_each_verb_says_so_in_one_line_and_goes_on_when_there_is_room(
    disk, _made, tiny_model, monkeypatch, capfd, room
):
    root = make_world(disk / "world", str(tiny_model))
    failed = 0
    for verb in VERBS:
        words = (verb, "--root", str(root))
        fill(disk, room)
        code, said = refract(monkeypatch, capfd, *words)
        (disk / "filler").unlink()
        if code:
            failed += 1
            assert code == 2
            assert said.count("\n") == 1, said
            assert said.startswith(f"refract: {disk}/"), said
            assert "the disk is full; expected room to write" in said
        assert refract(monkeypatch, capfd, *words)[0] == 0
    assert failed >= 3
    assert_same(root, _made)
