"""What Refract reaches on real texts, and how fast; run as `python -m benchmarks.tour`."""
