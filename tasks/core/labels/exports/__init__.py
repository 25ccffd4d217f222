"""What the tools that people label with write."""
