"""git and DVC: what a version is, and how to come back to it."""
