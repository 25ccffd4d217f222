"""git and DVC: what a version is, and how to come back to it.

`run_git_and_dvc` alone calls them; commit, history and checkout say what for.
"""
