"""What a workspace may do before its user has agreed: all that stays within its own files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from tasks.core.settings.params import Params, load_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.trusting import (
    apart,
    granted_by_environment,
    read_trust,
    write_trust,
)
from tasks.versioning import dvc_notes
from tasks.versioning.reach import (
    Reach,
    dvc_files,
    of_dvc,
    of_engine,
    of_git,
    of_label,
    of_links,
    of_listening,
    of_model,
    of_prefect,
    of_push,
    of_sources,
    of_store,
)
from tasks.versioning.trees import Present

_Settings = Callable[[], Params]
_KINDS: dict[str, Callable[[Paths, _Settings], Iterator[Reach]]] = {
    "links": lambda paths, _: of_links(paths),
    "sources": lambda paths, params: of_sources(paths, params()),
    "model": lambda _, params: of_model(params()),
    "engine": lambda _, params: of_engine(params()),
    "listening": lambda _, params: of_listening(params()),
    "store": lambda paths, params: of_store(paths, params().store),
    "label": lambda _, params: of_label(params()),
    "push": lambda paths, params: of_push(paths.root, params()),
    "git": lambda paths, _: of_git(paths.root),
    "dvc": lambda paths, _: _of_dvc(paths, "dvc"),
    "remote": lambda paths, _: _of_dvc(paths, "remote"),
    "prefect": lambda paths, _: of_prefect(paths.root),
}
KINDS = tuple(_KINDS)
EXCHANGE = (
    "links",
    "git",
    "dvc",
    "remote",
    "store",
)  # what is asked before another version is laid out


def _of_dvc(paths: Paths, kind: str) -> Iterator[Reach]:
    return (reach for reach in of_dvc(dvc_files(paths)) if reach.kind == kind)


def reaches(paths: Paths, kinds: tuple[str, ...] = KINDS) -> list[Reach]:
    """Return what the workspace, as it is, does beyond its own files."""

    def params() -> Params:
        return load_params(paths.params)

    return [reach for kind in kinds for reach in _KINDS[kind](paths, params)]


def is_own(paths: Paths) -> bool:
    """Tell whether nothing in the workspace came from elsewhere, or the environment vouches."""
    if granted_by_environment(paths):
        return True
    trust = read_trust(paths)
    return trust is not None and trust.made_here and _nothing_came(paths.root)


def _nothing_came(root: Path) -> bool:
    """Tell whether nothing was ever fetched into the repository that the workspace lies in."""
    top = root.resolve()
    for folder in (top, *top.parents):
        git = folder / ".git"
        if git.is_dir():
            return not (git / "FETCH_HEAD").exists()
        if git.exists():  # a worktree or a submodule of another repository
            return False
    return True


def keeping(paths: Paths) -> Path | None:
    """Return the folder of what is obeyed on this machine: `.refract`, unless others may have laid
    something there; None where there is no place outside of it."""
    return paths.state if is_own(paths) else apart(paths)


def strangers(paths: Paths, found: list[Reach]) -> list[Reach]:
    """Return those of `found` that the user has not agreed to."""
    trust = read_trust(paths)
    known = frozenset() if trust is None else trust.known
    return [reach for reach in found if reach.key not in known]


def ask(paths: Paths, *kinds: str) -> None:
    """Raise InputError where the workspace does something of `kinds` that nobody agreed to."""
    if not is_own(paths):
        refuse(paths, strangers(paths, reaches(paths, kinds)))


def ask_for(paths: Paths, then: Paths, *kinds: str) -> None:
    """As `ask`, where an earlier version of the workspace is laid out at `then`."""
    if not is_own(paths):
        refuse(paths, strangers(paths, reaches(then, kinds)))


def is_agreed(paths: Paths, *kinds: str) -> bool:
    """Tell whether the workspace does nothing of `kinds` that nobody agreed to."""
    return is_own(paths) or not strangers(paths, reaches(paths, kinds))


def refuse(paths: Paths, unknown: list[Reach], rev: str = "") -> None:
    """Raise InputError for the first of `unknown`, if there is any."""
    if not unknown:
        return
    more = f" (and {len(unknown) - 1} more)" if len(unknown) > 1 else ""
    raise InputError(
        f"{paths.root.resolve()}: {unknown[0].says}{more}; expected that you agree, since this came"
        f" from elsewhere; 'refract trust{rev and ' ' + rev}' shows all of it and asks you;"
        " nothing was done"
    )


def ask_recording(paths: Paths, params: Params) -> None:
    """Ask before a state is recorded: what git and DVC do here, and where it is sent.

    InputError as well where DVC's notes name what is not Refract's, or are half merged.
    """
    sent = ("push", "remote") if params.record.push or params.record.git_push else ()
    ask(paths, "links", "git", "dvc", *sent)
    if paths.in_dvc():
        dvc_notes.wanted(Present(paths.root))


def agree(paths: Paths, found: list[Reach]) -> None:
    """Note that the user agrees to `found`, beside what was agreed to before."""
    trust = read_trust(paths)
    known = frozenset() if trust is None else trust.known
    made_here = trust is not None and trust.made_here
    write_trust(paths, known | {reach.key for reach in found}, made_here=made_here)
