"""Fits that follow posted labels, or other settings: each once its labels rest, one at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from flows.explore.learning.fitting import Fitting, prepare
from flows.explore.learning.lasting import done
from flows.explore.learning.versions_due import VersionsDue
from flows.queries.labelled import Labelled
from flows.runtime.lock import is_served
from flows.state import staleness
from flows.state.label_sources import label_sources
from flows.state.tracked_files import commits_by_itself
from tasks.core.labels.files import LabelFile
from tasks.core.labels.inbox.posted_rows import is_posted
from tasks.core.settings.params import Params, load_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.one_look import one_look
from tasks.core.workspace.paths import Paths
from tasks.versioning.run_git_and_dvc import RepositoryError

Failed = Callable[[str, str], None]  # told an instruction, and why its fit has failed
_LOOK = 0.1  # seconds between two looks for labels that rest
_AGAIN = 5.0  # seconds until what was refused is tried again


class Refitter:
    """Fits the instructions that were noted; where `refract serve` runs, it leaves them to it.

    labelled: returns the labelled texts of an instruction. failed: called where a fit has failed.
    """

    def __init__(self, paths: Paths, labelled: Callable[[str], Labelled], failed: Failed) -> None:
        """Nothing is started before the first instruction is noted."""
        self._paths, self._labelled, self._failed = paths, labelled, failed
        self._lock = threading.Lock()
        self._noted: dict[str, float] = {}
        self._wanted = threading.Event()
        self._prepared = False
        self._left = True  # an earlier start, or `refract serve`, may have left a fit
        self._settings = _content(paths.params)
        self._others = False  # the settings are others than those that views were judged by
        self._next: Fitting | None = None
        self._due_versions = VersionsDue(paths)
        if self._due_versions:
            self._wanted.set()

    def note(self, names: Iterable[str]) -> None:
        """Fit these once they have rested; may be called from any thread."""
        now = time.monotonic()
        with self._lock:
            self._noted |= dict.fromkeys(names, now)
        self._wanted.set()

    def expect(self) -> None:
        """Get ready: there will be something to fit before long."""
        self._wanted.set()

    def run(self, ending: threading.Event) -> None:
        """Work until `ending` is set; a fit at work is stopped then."""
        stopper = threading.Thread(target=self._stop_at, args=(ending,), daemon=True)
        stopper.start()
        pause = 0.0
        while not ending.wait(pause):
            ended = [done(step) for step in (self._catch_up, self._turn)]
            pause = _LOOK if all(ended) else _AGAIN  # such as a mistake in params.yaml
        stopper.join()

    def _get_ready(self) -> None:
        """Start, while labels rest, what their fit needs."""
        with self._lock:
            noted = bool(self._noted)
        if not (noted or not self._prepared) or is_served(self._paths):
            return
        if not self._prepared:
            self._prepared = True
            prepare(self._paths.root)
        if noted and self._next is None:
            self._next = Fitting(self._paths.root)

    def _turn(self) -> None:
        if not self._wanted.is_set():
            return
        self._get_ready()
        name = self._due()
        if name is not None:
            self._fit(name)
        elif (name := self._rested()) is not None:
            self._record(name)
        with self._lock:
            if not (self._noted or self._due_versions):
                self._wanted.clear()

    def _catch_up(self) -> None:
        settings = _content(self._paths.params)
        self._others |= settings != self._settings
        self._settings = settings
        if not (self._left or self._others) or is_served(self._paths):
            return
        if self._paths.unfinished_checkout.is_file():  # settings come before what was made by them
            return
        others, self._others = self._others, False  # a mistake in them is told once
        self._take_up(everything=others)
        self._left = False

    def _take_up(self, *, everything: bool) -> None:
        """Note the instructions whose posted labels or names an earlier start has left unfitted.

        everything: and all others whose transform or view is not what the settings ask for.
        """
        paths, params = self._paths, load_params(self._paths.params)
        if not paths.stamp("embed").is_file():
            return
        with one_look():
            for name, file in label_sources(paths).items():
                posted = not file.labelled or any(is_posted(part.path) for part in file.parts)
                if (everything or posted) and _is_stale(paths, params, file):
                    self.note([name])

    def _due(self) -> str | None:
        """Return an instruction whose labels have rested, and forget that it was noted."""
        rest = load_params(self._paths.params).serve.settle
        with self._lock:
            now = time.monotonic()
            ready = [name for name, at in self._noted.items() if now - at >= rest]
            if ready:
                del self._noted[ready[0]]
        return ready[0] if ready else None

    def _rested(self) -> str | None:
        """Return a view of which a version is due, while nobody labels and none serves here."""
        with self._lock:
            labelled = bool(self._noted)
        name = self._due_versions.rested(load_params(self._paths.params).serve.version_rest)
        return None if labelled or name is None or is_served(self._paths) else name

    def _fit(self, name: str) -> None:
        paths = self._paths
        try:
            params = load_params(paths.params)
            served = is_served(paths)
            self._left |= served
            found = self._labelled(name)
            if served or (found.needed is not None and not found.named):
                self._let_go()
                return
            commit = commits_by_itself(paths, params)
            later = commit and params.serve.version_rest > 0 and paths.view_stamp(name).is_file()
            if later:
                self._due_versions.owe(name)
            why = self._made(name, commit=commit and not later)
        except (InputError, OSError, RepositoryError) as error:
            why = str(error)
        if why:
            self._failed(name, why)

    def _record(self, name: str) -> None:
        """Record what was fitted as versions, where that is still wanted."""
        if not commits_by_itself(self._paths, load_params(self._paths.params)):
            self._due_versions.settle()
        elif why := self._made(name, commit=True):
            self._failed(name, why)

    def _made(self, name: str, *, commit: bool) -> str:
        """Have `name` made and recorded by a process; return why that failed, in a line, or ''."""
        work = self._next = self._next or Fitting(self._paths.root)
        try:
            return work.fit(name, commit=commit)
        finally:
            self._next = None
            if commit:
                self._due_versions.settle()

    def _let_go(self) -> None:
        """End the process that waits for a fit: it would keep Prefect's server for itself."""
        if self._next is not None:
            self._next.stop()
        self._next = None

    def _stop_at(self, ending: threading.Event) -> None:
        ending.wait()
        work = self._next
        if work is not None:
            work.stop()


def _is_stale(paths: Paths, params: Params, file: LabelFile) -> bool:
    """Judge as `refract run` does: a transform, and the view that is made by it."""
    name = file.instruction
    made_from = staleness.fit_fingerprints(paths, params, name, file)
    fit = paths.exchange.is_file() or staleness.fit_verdict(paths, name, made_from).stale
    return fit or staleness.view_verdict(paths, params, name).stale


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # not there, or not any more: who needs it says so
        return b""
