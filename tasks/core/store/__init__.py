"""Tables of vectors in Lance: two-phase commits, tags, indices, checkpoints, upkeep."""
