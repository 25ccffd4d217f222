"""One view back to an earlier transform, the rest as it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from prefect import flow

from flows.checkout import version as layout
from flows.materialise import ViewReport, materialise
from flows.record import Recorded, record_run
from flows.runtime.lock import writer
from flows.state.label_sources import label_sources
from flows.state.staleness import HELD_BY, fit_fingerprints
from flows.state.tagged_versions import unknown_version
from flows.state.trust import EXCHANGE, ask, ask_recording
from flows.state.wholeness import mixture
from tasks.core.encoding import base_table
from tasks.core.encoding.featurizer import space_of
from tasks.core.encoding.vector_space import fingerprint
from tasks.core.settings.params import Params, load_params
from tasks.core.transforms.card import CARD, TENSORS, fits, is_whole, read_artifact, read_card
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.exchange import exchange
from tasks.core.workspace.instruction_name import check_name
from tasks.core.workspace.manifest import manifest_bytes, read_manifest
from tasks.core.workspace.manifests import Hold, Scores
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import RollbackNote
from tasks.versioning import history
from tasks.versioning.commit import check_committable
from tasks.versioning.messages import identity
from tasks.versioning.worktree import laid_out


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
    scores: Scores


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
        params = load_params(paths.params)  # another encoder may have come while this waited
        was, earlier = _choose(paths, check_name(name), version)
        source = _restore(paths, params, name, was, earlier)
        views = materialise(root, [name])
        recorded = record_run(paths, params, f"rollback/{name}", commit=commit)
    return RolledBack(name, was, f"v{earlier.tag.number}", source, views, recorded)


def _choose(paths: Paths, name: str, version: str | None) -> tuple[str, _Earlier]:
    """Return the version that the view has now, and the one that is asked for."""
    tags = history.view_tags(paths.root, name)
    file = history.score_file(name)
    scores = history.scores_at(paths.root, [(tag.commit, file) for tag in tags])
    known = [_Earlier(tag, own) for tag, own in zip(tags, scores, strict=True)]
    whole = mixture(paths, name) is None
    now = identity(read_manifest(paths.metric(name), Scores)) if whole else None
    begun = _begun(paths, name, version, now)
    for one in known:
        if begun is not None and f"v{one.tag.number}" == begun.version:
            return begun.was, one
    same = [number for number, one in enumerate(known) if identity(one.scores) == now]
    at = same[-1] if same else len(known)
    was = f"v{known[at].tag.number}" if same else "an unrecorded version"
    if version is None:
        chosen = known[at - 1 : at] if at else []
    else:
        chosen = [one for one in known if f"v{one.tag.number}" == version]
    if not chosen:
        listed = [f"v{one.tag.number}" for one in known]
        raise unknown_version(name, version or f"before {was}", listed)
    if identity(chosen[0].scores) == now:
        raise InputError(
            f"view {name!r}: is at v{chosen[0].tag.number} already ({was}); expected another"
            f" version; see 'refract versions {name}'"
        )
    return was, chosen[0]


def _begun(paths: Paths, name: str, version: str | None, now: str | None) -> RollbackNote | None:
    """Return the note of a rollback that a kill has kept from being recorded, if it is this one."""
    begun = read_manifest(paths.unfinished_rollback, RollbackNote)
    if begun is None or begun.name != name or begun.transform != now:
        return None
    return begun if version in (None, begun.version) else None


def _restore(paths: Paths, params: Params, name: str, was: str, earlier: _Earlier) -> str:
    """Lay the earlier transform in the place of the present one; return where it came from."""
    kept = paths.kept_transform(name, identity(earlier.scores))
    if is_whole(kept) and fits(read_card(kept), earlier.scores):
        _put(paths, params, name, was, earlier, kept)
        return "kept beside the view"
    place = history.repository(paths.root)
    folder = paths.transform(name).relative_to(paths.root)
    wanted = layout(paths, earlier.tag.tag, (folder.parent.as_posix(),))
    with laid_out(
        place, paths.root, paths.past, earlier.tag.commit, wanted, params.record.remote
    ) as then:
        _put(paths, params, name, was, earlier, then / folder)
    return f"out of DVC at {earlier.tag.tag}"


def _put(
    paths: Paths, params: Params, name: str, was: str, earlier: _Earlier, source: Path
) -> None:
    """Exchange hold, scores, tensors and card as one, with the note that a rollback is at work."""
    _, card = read_artifact(source)
    version = f"v{earlier.tag.number}"
    if not fits(card, earlier.scores):
        raise InputError(
            f"view {name!r}: {version} was recorded with scores of another transform than it has;"
            f" expected both of one fit; choose another version: 'refract versions {name}'"
        )
    base, asked = base_table.note_of(paths.base_table), fingerprint(params.embed)
    if base.fingerprint != asked or card.encoder != space_of(base):
        raise InputError(
            f"view {name!r}: {version} reads vectors of another encoder than params.yaml names"
            " now; expected the same; check out the whole version instead:"
            f" 'refract checkout {earlier.tag.tag}'"
        )
    begun = RollbackNote(name=name, version=version, was=was, transform=identity(earlier.scores))
    hold = _hold(paths, params, name, version, card.fingerprint or "")
    new = {
        paths.unfinished_rollback: manifest_bytes(begun),
        paths.hold(name): manifest_bytes(hold),
        paths.metric(name): manifest_bytes(earlier.scores),
        **{paths.transform(name) / file: (source / file).read_bytes() for file in (TENSORS, CARD)},
    }
    exchange(paths.root, paths.exchange, new)


def _hold(paths: Paths, params: Params, name: str, version: str, transform: str) -> Hold:
    file = label_sources(paths).get(name)
    now = fit_fingerprints(paths, params, name, file) if file else {}
    made_from = {key: value for key, value in now.items() if key in HELD_BY}
    return Hold(version=version, transform=transform, made_from=made_from)
