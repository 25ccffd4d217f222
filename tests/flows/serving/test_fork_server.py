"""What flow runs under `refract serve` are forked by; `test_serve.py` has them at work."""

import inspect
import signal
import subprocess
import sys

from prefect.runner import _starter_engine
from prefect.utilities.processutils import run_process

from flows.serving import fork_server


def test_prefect_starts_flow_runs_by_the_function_that_a_fork_stands_in_for():
    """Where this fails, Prefect has moved it: serve still works, by a fresh Python a run."""
    assert _starter_engine.__name__ == fork_server._STARTER
    assert _starter_engine.run_process is run_process
    call = inspect.getsource(_starter_engine.EngineCommandStarter.start)
    for word in ("env=", "task_status=", "task_status_handler="):
        assert word in call.split("await run_process(")[1]


def test_a_fork_ends_with_what_was_registered_for_the_end_of_a_process():
    """Prefect closes its connections there; a cut one can lock its server for a minute."""
    call = (
        "import atexit, os; from flows.serving.fork_server import end_whole;"
        " atexit.register(print, 'closed')"
    )
    end = "end_whole(); import sys; sys.stdout.flush(); os._exit(0)"
    done = subprocess.run([sys.executable, "-c", f"{call}; {end}"], stdout=subprocess.PIPE)
    assert done.stdout == b"closed\n"


def test_a_fork_leaves_what_was_set_up_before_it_to_the_process_that_did_so():
    script = (
        "import os, weakref;"
        " from flows.serving.fork_server import end_whole, leave_to_this_one as leave;"
        " before = weakref.finalize(end_whole, print, 'before', flush=True);"
        " leave(); child = os.fork();"
        " made = child or weakref.finalize(leave, print, 'in the fork', flush=True);"
        " os.waitpid(child, 0) if child else (end_whole(), os._exit(0))"
    )
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert done.stdout == b"in the fork\n"


def test_a_flow_run_that_was_killed_is_told_of_and_one_that_was_stopped_is_not(capfd):
    for code in (0, 1, -signal.SIGTERM, -signal.SIGKILL):
        fork_server._tell(code)
    said = "a flow run was killed (signal 9); 'reconcile' does what it left\n"
    assert capfd.readouterr().err == said
