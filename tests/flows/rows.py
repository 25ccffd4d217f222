"""The rows that the tables of a workspace hold."""

from flows import Workspace
from tasks.core.store import tables
from tasks.core.workspace.paths import Paths


def base_rows(root):
    paths = Paths(root)
    frame = Workspace(root).view("base").frame().sort("id")
    assert tables.count(paths.base_table) == frame["id"].n_unique()
    return frame


def view_rows(root, name):
    return Workspace(root).view(name).frame().sort("id")
