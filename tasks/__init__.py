"""One retryable unit of work each: the Prefect tasks behind the flows."""
