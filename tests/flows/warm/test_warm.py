"""A command that another process runs: the same to all around it, and never anybody else's."""

import ctypes
import multiprocessing
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from flows.warm import identity as warm_identity
from flows.warm.client import may_be_handed_over, named_root, root_of
from flows.warm.identity import identity
from flows.warm.messages import packed
from flows.warm.place import connect, opened
from tasks.core.workspace.paths import Paths
from tests.serving import with_server
from tests.world import write_labels

NOBODY = 99  # exit code of WARM where nobody ran the command
WARM = f"""
import sys
from flows.warm.client import hand_over
code = hand_over(sys.argv[1:])
sys.exit({NOBODY} if code is None else code)
"""
DIRECT = "import sys; from flows.cli.verbs import run_here; sys.argv[0] = 'refract'; run_here()"
SIGNS = "\r\x1b[K"


@pytest.fixture(scope="module")
def warm(tmp_path_factory, prefect_server):
    """The environment of commands, and the process that runs them."""
    state = tmp_path_factory.mktemp("state")
    env = with_server(XDG_STATE_HOME=str(state), REFRACT_LINGER="5")
    env.pop("XDG_RUNTIME_DIR", None)
    place = state / "refract" / "warm"
    place.mkdir(parents=True, mode=0o700)
    name = identity(env)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "flows.warm.process", "600", name, "0", "0"], env=env
    )
    last = time.monotonic() + 200
    while not (place / name).exists():
        assert process.poll() is None
        assert time.monotonic() < last
        time.sleep(0.1)
    yield env, psutil.Process(process.pid), place
    process.kill()
    process.wait()


def run(how, env, root, *words, **more):
    return subprocess.run(
        [sys.executable, "-c", how, *words],
        cwd=root,
        env=env | more,
        capture_output=True,
        timeout=200,
        umask=0o027,
    )


@pytest.mark.parametrize(
    ("words", "more"),
    [
        (("similar", "t03", "--view", "topic", "-k", "3"), {"COLUMNS": "60"}),
        (("similar", "t03", "--view", "topic", "-k", "3", "--json"), {}),
        (("similar", "t03", "--view", "none"), {}),
        (("export", "topic", "seen.parquet"), {}),
        (("search", "--view"), {}),
    ],
)
def test_it_prints_writes_and_ends_as_it_would_by_itself(warm, made, words, more):
    env, _, _ = warm
    here, there = (run(how, env, made, *words, **more) for how in (DIRECT, WARM))
    assert there.returncode == here.returncode != NOBODY
    assert there.stdout == here.stdout
    assert there.stderr == here.stderr
    for file in made.glob("seen.*"):
        assert file.stat().st_mode & 0o777 == 0o640


def on_terminal(how, env, root, *words):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", how, *words],
        cwd=root,
        env=env | {"TERM": "xterm"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    said = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            said += os.read(ours, 65536)
        except OSError:
            break
    os.close(ours)
    return said.decode(), process.wait(240)


def test_on_a_terminal_it_is_on_that_terminal(warm, made):
    words = ("similar", "t03", "--view", "none")
    said, code = on_terminal(WARM, warm[0], made, *words)
    assert (said, code) == on_terminal(DIRECT, warm[0], made, *words)
    assert said.startswith(f"{SIGNS}refract similar")


@pytest.fixture
def waiting(warm, made):
    """A function that starts `refract fit`, which waits for a lock that the test holds."""
    write_labels(made, "topic", [{"id": f"t{n:02}", "topic": "ab"[n % 2]} for n in range(40)])
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", WARM, "fit", "topic"],
            cwd=made,
            env=warm[0],
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        started.append(process)
        assert process.stderr.readline().startswith(b"waiting for another refract")
        return process

    with FileLock(Paths(made).writer_lock):
        yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("number", "code", "said"),
    [
        (signal.SIGINT, 130, b"\nrefract: stopped; run the same command again to go on\n"),
        (signal.SIGTERM, -signal.SIGTERM, b""),
        (signal.SIGHUP, -signal.SIGHUP, b""),
    ],
)
def test_a_signal_ends_it_as_it_would_by_itself(waiting, number, code, said):
    process = waiting()
    process.send_signal(number)
    assert process.wait(240) == code
    assert process.stderr.read() == said


def test_it_ends_with_the_command_that_was_typed_however_that_ended(warm, waiting):
    process = waiting()
    (child,) = warm[1].children()
    process.kill()
    assert psutil.wait_procs([child], timeout=60)[1] == []


def test_another_environment_or_code_is_another_process(warm, made, monkeypatch):
    env, _, place = warm
    words = ("similar", "t03", "--view", "none")
    assert run(WARM, env, made, *words, OMP_NUM_THREADS="2").returncode == NOBODY
    assert run(WARM, env, made, *words, CI="1", REFRACT_LINGER="0").returncode == NOBODY
    assert identity(env | {"COLUMNS": "33"}) == identity(env)
    assert (place / identity(env)).exists()
    monkeypatch.setattr(warm_identity, "code", lambda: [("flows/new.py", 1, 2)])
    assert not (place / identity(env)).exists()


def _ask_confined(place, name, env, pipe):
    ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)  # PR_SET_NO_NEW_PRIVS
    with connect(place, name) as connection, Path("/dev/null").open() as null:
        request = {"words": ["status"], "environment": env, "umask": 0, "limits": [], "ignored": []}
        socket.send_fds(connection, [packed(request)], [null.fileno()] * 4)
        pipe.send(connection.recv(100))


def test_who_is_confined_otherwise_gets_nothing_even_if_it_knows_the_name(warm):
    env, _, place = warm
    ours, theirs = multiprocessing.Pipe()
    fork = multiprocessing.get_context("forkserver")
    process = fork.Process(target=_ask_confined, args=(place, identity(env), env, theirs))
    process.start()
    assert ours.poll(60)
    assert ours.recv() == b""
    process.join()


def test_a_folder_of_sockets_that_others_may_write_to_is_not_used(tmp_path):
    place = tmp_path / "warm"
    place.mkdir(mode=0o700)
    with opened(place):
        pass
    place.chmod(0o770)
    with pytest.raises(PermissionError, match="not this user's alone"), opened(place):
        pass
    (tmp_path / "link").symlink_to(place)
    with pytest.raises(NotADirectoryError), opened(tmp_path / "link"):
        pass


@pytest.mark.parametrize(
    ("words", "settings"),
    [
        (["trust"], ""),
        (["serve"], ""),
        (["ingest", "/dev/fd/63"], ""),
        (["run", "--commit"], ""),
        (["run"], "record: {git_push: yes}"),
        (["run"], "record:\n  commit: always\n"),
        (["run", "--root", "nowhere"], ""),
    ],
)
def test_what_may_ask_a_person_or_needs_its_own_files_runs_by_itself(
    tmp_path, monkeypatch, words, settings
):
    monkeypatch.setenv("REFRACT_LINGER", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(settings, "utf-8")
    assert not may_be_handed_over(words)
    (tmp_path / "params.yaml").write_text("record: {push: false}", "utf-8")
    assert may_be_handed_over(["run"])
    assert may_be_handed_over(["-C", str(tmp_path), "-C", ".", "search", "x"])
    assert not may_be_handed_over(["-C", "/", "search", "x"])
    assert not may_be_handed_over(["-C", str(tmp_path), "run"])  # for Prefect's settings there
    assert not may_be_handed_over(["evaluate", "topic", "--truth=/dev/fd/63"])


def test_the_last_root_of_a_command_line_counts_however_it_is_written():
    assert named_root(["run", "--root=a", "--root", "b"]) == "b"
    assert named_root(["run", "--root", "b", "--root=a"]) == "a"
    assert root_of(["-C", "x", "-C", "y", "run"]).as_posix() == "x/y"
    assert root_of(["search", "-C", "x"]).as_posix() == "."


def test_killed_it_is_missed_by_nobody_and_stopped_it_is_gone(warm, made):
    """The last test: it takes the process away from the others."""
    env, process, _ = warm
    words = ("similar", "t03", "--view", "none")
    stop = [sys.executable, "-m", "flows", "stop"]
    said = subprocess.run(stop, cwd=made, env=env, capture_output=True, text=True)
    assert said.stdout == "stop: ended the process that runs commands\n"
    process.wait(240)
    assert run(WARM, env, made, *words).returncode == NOBODY
    said = subprocess.run(stop, cwd=made, env=env, capture_output=True, text=True)
    assert said.stdout == "stop: nothing ran\n"
    again = [sys.executable, "-P", "-m", "flows.warm.process", "600", identity(env), "0"]
    with subprocess.Popen([*again, str(time.time() - 60)], env=env) as still_importing:
        try:
            still_importing.wait(240)  # it was asked to end since it was started
        finally:
            still_importing.kill()  # or the test would wait for its ten minutes
    assert run(WARM, env, made, *words).returncode == NOBODY
