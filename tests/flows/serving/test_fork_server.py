"""What flow runs under `refract serve` are forked by; `test_serve.py` has them at work."""

import inspect
import signal

from prefect.runner import _starter_engine
from prefect.utilities.processutils import run_process

from flows.cli import verbs
from flows.serving import fork_server


def test_prefect_starts_flow_runs_by_the_function_that_a_fork_stands_in_for():
    """Where this fails, Prefect has moved it: serve still works, by a fresh Python a run."""
    assert _starter_engine.__name__ == fork_server._STARTER
    assert _starter_engine.run_process is run_process
    call = inspect.getsource(_starter_engine.EngineCommandStarter.start)
    for word in ("env=", "task_status=", "task_status_handler="):
        assert word in call.split("await run_process(")[1]


def test_a_flow_run_that_was_killed_is_told_of_and_one_that_was_stopped_is_not(capfd):
    for code in (0, 1, -signal.SIGTERM, -signal.SIGKILL):
        fork_server._tell(code)
    said = "a flow run was killed (signal 9); 'reconcile' does what it left\n"
    assert capfd.readouterr().err == said


def test_a_forked_command_finds_all_verbs_imported():
    assert verbs.__name__ in fork_server.IMPORTED
