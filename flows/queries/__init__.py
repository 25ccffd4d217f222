"""What reads a workspace and writes nothing into it: a file a question; `workspace` has search."""
