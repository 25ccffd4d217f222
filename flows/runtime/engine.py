"""Where shards run: the Prefect task runner behind the flows."""

from __future__ import annotations

from typing import Any

from prefect.task_runners import ThreadPoolTaskRunner

# One worker: the encoder and the matrix products fill all cores by themselves.
# Prefect's own annotations do not accept its runner here (3.8.8), hence Any.
LOCAL: Any = ThreadPoolTaskRunner(max_workers=1)
