"""What has happened in the workspace, whoever did it, as the small notes on disk say.

A few folders are listed four times a second: it costs less than it would to be told of each file
that a verb writes on the way, and works on any file system.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from flows.explore.learning.hub import Hub
from flows.explore.learning.lasting import done
from flows.queries.labelled import Labelled
from flows.runtime.under_way import VERBS, begun, now_under_way
from flows.serving.watch_labels import State, look
from flows.state.status import rows_of
from tasks.core.labels.files import instruction_of
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.instruction_name import NAME
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.manifests import EmbedStamp, Rejection, Scores, ViewStamp
from tasks.core.workspace.paths import Paths

_LOOK = 0.25  # seconds between two looks
_SHARE = 20  # of the time, at most a twentieth is spent on looks
_GIT_RESTS = 5.0  # seconds until git is asked again, where it has failed
_LABELS_REST = 0.1  # seconds that label files rest before they are read

Tags = Mapping[tuple[str, str], str]


class Notices:
    """Tells the hub what the notes of one workspace say.

    fitting: holds the instructions that are made anew just now. tags: returns the git tags of
    views, by name and transform. labelled: returns the labelled texts of an instruction.
    """

    def __init__(
        self,
        paths: Paths,
        hub: Hub,
        fitting: set[str],
        tags: Callable[[], Tags],
        labelled: Callable[[str], Labelled],
    ) -> None:
        """Take what is there now for known."""
        self._paths, self._hub, self._fitting = paths, hub, fitting
        self._tags, self._labelled = tags, labelled
        self._live: dict[str, ViewStamp] = {}
        self._versions: dict[str, str | None] = {}
        self._corpus_known: tuple[object, ...] | None = None
        self._recorded_due = False
        self._git_again = 0.0  # when git is asked next, where it was and failed
        self._labels_due: dict[str, float] = {}
        self._took = 0.0  # seconds, the last look
        self._seen = self._look()
        for name in self._views():
            self._live[name] = read_manifest(paths.view_stamp(name), ViewStamp) or ViewStamp()
        self._corpus_known = _texts_of(read_manifest(paths.stamp("embed"), EmbedStamp))
        self._fitting |= now_under_way(paths)
        self._began = begun(paths, "fit").began

    def run(self, ending: threading.Event) -> None:
        """Look until `ending` is set."""
        self._recorded_due = not done(self._know_versions)
        while not ending.wait(max(_LOOK, _SHARE * self._took)):
            done(self.look)

    def look(self) -> None:
        """Tell what has happened since the last look."""
        start = time.monotonic()
        seen = self._look()
        self._took = time.monotonic() - start
        both = seen.keys() | self._seen.keys()
        changed = sorted(path for path in both if seen.get(path) != self._seen.get(path))
        self._seen = seen
        for path in changed:
            done(partial(self._tell, path))
        if self._fitting:
            self._under_way()
        now = time.monotonic()
        if self._recorded_due and now >= self._git_again:
            self._recorded_due, self._git_again = not done(self._recorded), now + _GIT_RESTS
        for name in [name for name, due in self._labels_due.items() if due <= now]:
            del self._labels_due[name]
            done(partial(self._label, name))

    def _know_versions(self) -> None:
        tags = self._tags()
        for name, stamp in self._live.items():
            self._versions.setdefault(name, tags.get((name, stamp.transform)))

    def _know_version(self, name: str) -> None:
        self._versions[name] = self._tags().get((name, self._live[name].transform))

    def _label(self, name: str) -> None:
        found = self._labelled(name)
        self._hub.tell(
            "labels",
            view=name,
            labelled=len(found.label_of),
            classes=found.classes,
            labels_needed=found.needed,
        )

    def _tell(self, path: Path) -> None:
        paths, name = self._paths, path.stem
        if path.parent == paths.views:
            self._view(name)
        elif path.parent == paths.rejection("any").parent:
            self._rejected(name)
        elif path == paths.stamp("embed"):
            self._corpus()
        elif path.parent == paths.under_way("fit").parent:
            self._under_way()
        elif path == paths.recorded:
            self._recorded_due, self._git_again = True, 0.0
        else:
            about = instruction_of(path, paths.labels)
            if about is not None:
                self._labels_due[about] = time.monotonic() + _LABELS_REST

    def _view(self, name: str) -> None:
        if not NAME.fullmatch(name):
            return
        stamp = read_manifest(self._paths.view_stamp(name), ViewStamp)
        if stamp is None:
            self._live.pop(name, None)
            return
        before, self._live[name] = self._live.get(name), stamp
        if before is not None and _shown(before) == _shown(stamp):
            return
        scores = read_manifest(self._paths.metric(name), Scores) or Scores()
        known = scores.fingerprint == stamp.transform
        self._versions[name] = None
        done(partial(self._know_version, name))
        self._hub.tell(
            "live",
            view=name,
            version=self._versions[name],
            transform=stamp.transform,
            before=scores.before if known else None,
            after=scores.after if known else None,
            rows=rows_of(self._paths) if stamp.lazy else stamp.rows,
        )

    def _recorded(self) -> None:
        """Tell the versions that views have got: a view is live before it is recorded."""
        tags = self._tags()
        for name, stamp in self._live.items():
            version = tags.get((name, stamp.transform))
            if version is not None and version != self._versions.get(name):
                self._versions[name] = version
                self._hub.tell("version", view=name, version=version, transform=stamp.transform)

    def _rejected(self, name: str) -> None:
        if not NAME.fullmatch(name):  # a file whose name registers no instruction
            return
        found = read_manifest(self._paths.rejection(name), Rejection)
        if found is None:
            return
        needed = None
        with suppress(InputError):
            needed = self._labelled(name).needed
        if needed is None:  # few labels are no failure: more are on their way
            self._hub.tell("failed", view=name, why=found.reason)

    def _corpus(self) -> None:
        stamp = read_manifest(self._paths.stamp("embed"), EmbedStamp)
        if stamp is not None and _texts_of(stamp) != self._corpus_known:
            self._corpus_known = _texts_of(stamp)
            self._hub.tell("corpus", texts=stamp.rows)

    def _under_way(self) -> None:
        now = now_under_way(self._paths)
        ended = self._fitting - now
        self._fitting &= now
        self._fitting |= now
        note = begun(self._paths, "fit")
        if note.began != self._began:
            self._began = note.began
            for name in note.names:
                self._hub.tell("fit", view=name)
            ended |= set(note.names) - now
        for name in sorted(ended):
            self._hub.tell("fitted", view=name)

    def _views(self) -> list[str]:
        names = (path.stem for path in self._seen if path.parent == self._paths.views)
        return [name for name in names if NAME.fullmatch(name)]

    def _look(self) -> dict[Path, State]:
        paths = self._paths
        found: dict[Path, State] = {}
        notes = (paths.stamp("embed"), paths.recorded, *map(paths.under_way, VERBS))
        for path in notes:
            with suppress(OSError):
                about = path.stat()
                found[path] = (about.st_ino, about.st_size, about.st_mtime_ns)
        for folder in (paths.views, paths.rejection("any").parent):
            files = look(folder).files
            found |= {path: state for path, state in files.items() if path.suffix == ".json"}
        return found | look(paths.labels).files


def _texts_of(stamp: EmbedStamp | None) -> tuple[object, ...] | None:
    return None if stamp is None else (stamp.rows, stamp.digest)


def _shown(stamp: ViewStamp) -> tuple[object, ...]:
    return stamp.transform, stamp.version, stamp.rows
