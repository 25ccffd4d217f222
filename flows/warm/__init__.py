"""A process that has imported everything and runs commands as forks of itself, each in no time."""
