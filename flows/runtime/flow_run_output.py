"""What flow runs under `refract serve` share: they end with it, and say a line each."""

from __future__ import annotations

import signal
from typing import Any

from flows.runtime.child_process import end_with_parent


def as_child() -> None:
    """Let this flow run end with the `refract serve` that started it; a kill loses nothing."""
    end_with_parent(signal.SIGKILL)


def _say(_: Any, run: Any, state: Any) -> None:
    message = " ".join(str(state.message or "").split())
    told = message.removeprefix("Flow run encountered an exception: ").removeprefix("InputError: ")
    done = state.is_completed()
    print(f"{run.name}: {'done' if done else f'failed, {told}'}", flush=True)


SAY: dict[str, Any] = {"on_completion": [_say], "on_failure": [_say], "on_crashed": [_say]}
