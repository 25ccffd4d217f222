"""What reads a workspace and writes nothing into it."""
