"""What is there, what is stale and why, what belongs together, and what the user has agreed to."""
