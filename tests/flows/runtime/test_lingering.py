"""What stays after a command: how long, for whom, and how it is ended."""

import os
import shutil
import signal
import sqlite3
from contextlib import closing
from importlib.metadata import version

import psutil
import pytest

from flows.runtime.child_process import let_linger, lingering
from flows.runtime.lingering import MINUTES, seconds_to_linger
from flows.runtime.server import database_template
from flows.runtime.server.private_server import stop_private
from flows.runtime.server.server_note import answers
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tests.commands import refract
from tests.flows.runtime.test_private_server import Command

VERSION = version("prefect")


def block_types(database):
    with closing(sqlite3.connect(database)) as opened:
        return set(opened.execute("SELECT id FROM block_type"))


@pytest.mark.server
def test_one_server_lingers_after_a_kill_until_it_dies_is_outdated_or_is_stopped(tmp_path):
    paths = Paths(tmp_path / "desk")
    first = Command(paths.root, 600)
    note, server = first.note(), first.server()
    first.end(signal.SIGKILL)
    second = Command(paths.root, 600)
    try:
        assert second.note() == note
        assert psutil.Process(second.process.pid).children() == []
        assert stop_private(paths) is None  # somebody is at work
        server.kill()
        second.end()
        third = Command(paths.root, 600)
        assert third.note() != note
        first_of_two = third.server()
        third.end()
        assert first_of_two.is_running()
        other = Command(paths.root, 600, PREFECT_SERVER_API_DEFAULT_LIMIT="100")
        replaced = other.note()
        assert psutil.wait_procs([first_of_two], timeout=30)[1] == []
        other.end()
        assert answers(replaced)
    finally:
        said = refract(tmp_path, "stop", "--root", "desk")
    assert said.out == "stop: ended Prefect's server\n"
    assert not answers(replaced)
    assert not paths.private_note.exists()
    assert refract(tmp_path, "stop", "--root", "desk").out == "stop: nothing ran\n"


@pytest.mark.server
def test_a_server_ends_by_itself_and_began_with_a_database_that_was_made_before(tmp_path):
    paths = Paths(tmp_path / "desk")
    command = Command(paths.root, 1)
    command.note()
    server = command.server()
    command.end(signal.SIGKILL)
    assert psutil.wait_procs([server], timeout=60)[1] == []
    template = database_template._place(VERSION)
    assert template.stat().st_mode & 0o777 == 0o600
    made = block_types(paths.prefect_home / "prefect.db")
    assert len(made) > 10
    assert made == block_types(template)  # their ids are random: these are copies


@pytest.fixture
def template(tmp_path, monkeypatch):
    """The template of version 1, a small database with the table that is looked for."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    source = tmp_path / "source.db"
    with closing(sqlite3.connect(source)) as made:
        made.executescript(
            "PRAGMA journal_mode = WAL; CREATE TABLE alembic_version (version_num);"
            " CREATE TABLE configuration (id); INSERT INTO configuration VALUES (1)"
        )
    database_template.keep(source, "1")
    return tmp_path / "cache" / "refract" / "prefect-1.sqlite"


def test_a_template_is_laid_where_no_database_is_for_its_own_version_alone(template, tmp_path):
    target = tmp_path / "home" / "prefect.db"
    assert template.stat().st_mode & 0o777 == 0o600
    assert list(template.parent.iterdir()) == [template]
    assert not database_template.lay(target, "2")
    assert database_template.lay(target, "1")
    with closing(sqlite3.connect(target)) as laid:
        assert laid.execute("SELECT count(*) FROM configuration").fetchone() == (0,)
    assert not database_template.lay(target, "1")


def _opened(template):
    template.chmod(0o644)


def _cut(template):
    os.truncate(template, 5000)


def _linked(template):
    shutil.move(template, template.parent / "elsewhere")
    template.symlink_to(template.parent / "elsewhere")


@pytest.mark.parametrize("spoil", [_opened, _cut, _linked])
def test_a_template_that_is_not_whole_or_not_its_users_alone_is_not_used(template, tmp_path, spoil):
    spoil(template)
    assert not database_template.lay(tmp_path / "prefect.db", "1")
    assert not (tmp_path / "prefect.db").exists()


@pytest.mark.parametrize(
    ("content", "seconds"),
    [(b"", 0), (b"900.000", 900), (b"-3", 0), (b"1e99", 86_400), (b"nan", 0), (b"x" * 99, 0)],
)
def test_a_lease_that_somebody_has_edited_grants_a_day_at_most(tmp_path, content, seconds):
    (tmp_path / "lease").write_bytes(content)
    with (tmp_path / "lease").open("r+b") as lease:
        assert lingering(lease.fileno()) == seconds
        let_linger(lease.fileno(), 7)
        assert lingering(lease.fileno()) == 7


def test_how_long_is_said_by_the_settings_and_before_them_by_the_environment(tmp_path, monkeypatch):
    paths = Paths(tmp_path)
    paths.params.write_text("engine: {linger: 2.5}", "utf-8")
    for name in (MINUTES, "CI"):
        monkeypatch.delenv(name, raising=False)
    assert seconds_to_linger(paths) == 150
    monkeypatch.setenv("CI", "true")
    assert seconds_to_linger(paths) == 0
    monkeypatch.setenv(MINUTES, "1")
    assert seconds_to_linger(paths) == 60
    monkeypatch.setenv(MINUTES, "for ever")
    with pytest.raises(InputError, match=r"found 'for ever'; expected minutes from 0 to 1440"):
        seconds_to_linger(paths)
