"""Workspaces whose tables lie in an object store: pointers, what is recorded, readers elsewhere."""
