"""One view back to an earlier transform, the rest as it is."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prefect import flow

from flows.checkout import version as layout
from flows.lock import writer
from flows.materialise import ViewReport, materialise
from flows.record import Recorded, record_run
from flows.stale import HELD_BY, encoder_settings, fit_fingerprints
from flows.trust import EXCHANGE, ask, ask_recording
from tasks import history
from tasks.committing import check_committable
from tasks.core import store
from tasks.core.artifact import CARD, TENSORS, is_whole, read_artifact
from tasks.core.changes import identity
from tasks.core.coder import space_of
from tasks.core.errors import InputError
from tasks.core.files import read_json, write_json
from tasks.core.label_files import label_files
from tasks.core.params import Params, load_params
from tasks.core.paths import Paths, check_name
from tasks.past import laid_out


@dataclass(frozen=True)
class RolledBack:
    """Which version a view had, which it has again, and where that came from."""

    name: str
    was: str
    version: str
    source: str
    views: list[ViewReport]
    record: Recorded


@dataclass(frozen=True)
class _Earlier:
    tag: history.ViewTag
    scores: dict[str, Any]


@flow(name="rollback", flow_run_name="rollback/{name}")
def rollback(root: Path, name: str, version: str | None = None) -> RolledBack:
    """Bring the transform of an earlier version back, and write the view of today's corpus by it.

    The labels stay as they are; the view is held until they or its settings change.
    """
    paths, params = Paths(root), load_params(Paths(root).params)
    ask(paths, *EXCHANGE)
    ask_recording(paths, params)
    commit = params.record.commit != "never"
    if commit:
        check_committable(root, params.record.author)
    with writer(paths):
        was, earlier = _choose(paths, check_name(name), version)
        source = _restore(paths, params, name, earlier)
        views = materialise(root, [name])
        recorded = record_run(paths, params, f"rollback/{name}", commit=commit)
    return RolledBack(name, was, f"v{earlier.tag.number}", source, views, recorded)


def _choose(paths: Paths, name: str, version: str | None) -> tuple[str, _Earlier]:
    """Return the version that the view has now, and the one that is asked for."""
    tags = history.view_tags(paths.root, name)
    file = history.score_file(name)
    scores = history.json_at(paths.root, [(tag.commit, file) for tag in tags])
    known = [_Earlier(tag, own) for tag, own in zip(tags, scores, strict=True)]
    now = identity(read_json(paths.metric(name)) or {})
    same = [number for number, one in enumerate(known) if identity(one.scores) == now]
    at = same[-1] if same else len(known)
    was = f"v{known[at].tag.number}" if same else "an unrecorded version"
    if version is None:
        chosen = known[at - 1 : at] if at else []
    else:
        chosen = [one for one in known if f"v{one.tag.number}" == version]
    if not chosen:
        listed = ", ".join(f"v{one.tag.number}" for one in known) or "none"
        raise InputError(
            f"view {name!r}: no version {version or f'before {was}'}; expected one that is tagged;"
            f" known: {listed}; see 'refract versions {name}'"
        )
    if identity(chosen[0].scores) == now:
        raise InputError(
            f"view {name!r}: is at v{chosen[0].tag.number} already ({was}); expected another"
            f" version; see 'refract versions {name}'"
        )
    return was, chosen[0]


def _restore(paths: Paths, params: Params, name: str, earlier: _Earlier) -> str:
    """Lay the earlier transform in the place of the present one; return where it came from."""
    kept = paths.kept_transform(name, identity(earlier.scores))
    if is_whole(kept):
        _put(paths, params, name, earlier, kept)
        return "kept beside the view"
    place = history.repository(paths.root)
    folder = paths.transform(name).relative_to(paths.root)
    wanted = layout(paths, earlier.tag.tag, (folder.parent.as_posix(),))
    with laid_out(
        place, paths.root, paths.past, earlier.tag.commit, wanted, params.record.remote
    ) as then:
        _put(paths, params, name, earlier, then / folder)
    return f"out of DVC at {earlier.tag.tag}"


def _put(paths: Paths, params: Params, name: str, earlier: _Earlier, source: Path) -> None:
    """Write hold, scores, tensors and, last, the card that makes them count."""
    _, card = read_artifact(source)
    base, asked = store.note(paths.base_table), encoder_settings(params).fingerprint()
    if base["fingerprint"] != asked or card.get("encoder") != space_of(base):
        raise InputError(
            f"view {name!r}: v{earlier.tag.number} reads vectors of another encoder than"
            " params.yaml names now; expected the same; check out the whole version instead:"
            f" 'refract checkout {earlier.tag.tag}'"
        )
    place = paths.transform(name)
    place.mkdir(parents=True, exist_ok=True)
    write_json(paths.hold(name), _hold(paths, params, name, earlier, str(card["fingerprint"])))
    write_json(paths.metric(name), earlier.scores)
    for file in (TENSORS, CARD):
        temporary = place / f".{file}.tmp"
        shutil.copyfile(source / file, temporary)
        temporary.replace(place / file)


def _hold(
    paths: Paths, params: Params, name: str, earlier: _Earlier, transform: str
) -> dict[str, Any]:
    file = label_files(paths.labels).get(name)
    now = fit_fingerprints(paths, params, name, file) if file else {}
    return {
        "version": f"v{earlier.tag.number}",
        "transform": transform,
        "made_from": {key: value for key, value in now.items() if key in HELD_BY},
    }
