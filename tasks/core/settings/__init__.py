"""params.yaml: defaults, bounds, and what each key means."""
