"""What Refract reaches on real texts, and how fast; run as `python -m benchmarks.tour`."""

from flows.runtime.environment import settle_environment

settle_environment()  # as the command line does, and as early: before torch is loaded
