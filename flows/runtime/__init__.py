"""What flows run on: Prefect and its server, locks, processes, the environment."""
