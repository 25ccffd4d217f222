"""What is there, and what is stale and why."""
