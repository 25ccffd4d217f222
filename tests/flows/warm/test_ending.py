"""How a command ends: whole, with its own exit code, and without what only takes time."""

import subprocess
import sys

import pytest


def test_a_fork_ends_with_what_was_registered_for_the_end_of_a_process():
    """Prefect closes its connections there; a cut one can lock its server for a minute."""
    call = (
        "import atexit, os; from flows.warm.ending import end_whole;"
        " atexit.register(print, 'closed')"
    )
    end = "end_whole(); import sys; sys.stdout.flush(); os._exit(0)"
    done = subprocess.run([sys.executable, "-c", f"{call}; {end}"], stdout=subprocess.PIPE)
    assert done.stdout == b"closed\n"


def test_a_fork_leaves_what_was_set_up_before_it_to_the_process_that_did_so():
    script = (
        "import os, weakref;"
        " from flows.warm.ending import end_whole, leave_to_this_one as leave;"
        " before = weakref.finalize(end_whole, print, 'before', flush=True);"
        " leave(); child = os.fork();"
        " made = child or weakref.finalize(leave, print, 'in the fork', flush=True);"
        " os.waitpid(child, 0) if child else (end_whole(), os._exit(0))"
    )
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert done.stdout == b"in the fork\n"


@pytest.mark.parametrize(
    "ends",
    [
        "print('said')",
        "sys.exit(3)",
        "sys.exit('why')",
        "sys.exit()",
        "1 / 0",
        "print('said'); sys.stderr.close(); sys.exit(141)",
        "threading.Thread(target=lambda: (time.sleep(0.2), print('late'))).start()",
    ],
)
def test_it_ends_as_an_interpreter_does(ends):
    begun = "import sys, threading, time; from flows.warm.ending import end_by\n"
    by_itself = f"{begun}def call():\n    {ends}\ncall()"
    at_once = f"{begun}def call():\n    {ends}\nend_by(call)"
    one, other = (
        subprocess.run([sys.executable, "-c", script], capture_output=True)
        for script in (by_itself, at_once)
    )
    assert (other.returncode, other.stdout) == (one.returncode, one.stdout)
    assert other.stderr.splitlines()[-1:] == one.stderr.splitlines()[-1:]
