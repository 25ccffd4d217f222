"""What a served workspace has done, as its git, its DVC and its Prefect server tell."""

import subprocess
import sys
import time
from datetime import UTC, datetime

import psutil

from tests.serving import environment
from tests.world import write_labels


def git(root, *words):
    done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout


def dvc_status(root):
    words = [sys.executable, "-m", "dvc", "status"]
    return subprocess.run(words, cwd=root, capture_output=True, text=True, check=True).stdout


def refract(root, *words):
    return subprocess.run(
        [sys.executable, "-m", "flows", *words],
        cwd=root,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=240,
    )


def labelled(rows, aspect="mood"):
    return "id,label\n" + "".join(f"{row['id']},{row[aspect]}\n" for row in rows)


def runs(desk, **question):
    return desk.api("flow_runs/filter", {"limit": 200, **question})


def named(desk, name):
    return [run for run in runs(desk) if run["name"] == name]


def in_state(desk, name, state):
    return [run for run in named(desk, name) if run["state"]["type"] == state]


def at_rest(desk):
    """Tell whether no flow run is at work or due, now and two seconds later."""
    for pause in (2, 0):
        now = datetime.now(UTC).isoformat()
        for run in runs(desk):
            kind, start = run["state"]["type"], str(run["expected_start_time"])
            if kind in ("PENDING", "RUNNING") or (kind == "SCHEDULED" and start <= now):
                return False
        time.sleep(pause)
    return True


def recorded(desk, subject):
    return any(
        line.startswith(subject) for line in git(desk.root, "log", "--format=%s").split("\n")
    )


def words_of(process):
    """Return a process's command line, "" if it has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def desk_processes(desk):
    return psutil.Process(desk.process.pid).children(recursive=True)


def waiting_run(desk, aspect, rows):
    """Return the process of the flow run for these labels, which waits for the write lock."""
    write_labels(desk.root, aspect, rows)
    desk.wait_until(lambda: in_state(desk, f"labels/{aspect}", "RUNNING"), "flow run")
    forks = desk.forks()
    assert len(forks) == 1, "no fork: do the imports of the fork server start threads now?"
    return forks[0]
