"""Whether files that belong together are of one making, told from small notes and hashes."""

from __future__ import annotations

from pathlib import Path

from tasks.core.store.layout import exists, noted_live_version
from tasks.core.transforms.card import CARD, TENSORS, fits
from tasks.core.workspace.manifests import Card, Scores, ViewStamp
from tasks.core.workspace.one_look import hashes_in, one_look, read_manifest
from tasks.core.workspace.paths import Paths
from tasks.core.workspace.state_manifests import CheckoutNote, RollbackNote


def mixture(paths: Paths, name: str) -> str | None:
    """Return why card, tensors and scores of a transform are not of one fit, or None."""
    card = read_manifest(paths.transform(name) / CARD, Card)
    if card is None:
        return None
    if not _sealed(paths, paths.transform(name), card):
        return "its tensors are not those of its card"
    if not fits(card, read_manifest(paths.metric(name), Scores)):
        return "its scores are not those of its transform"
    return None


@one_look()
def mixtures(paths: Paths) -> dict[str, str]:
    """Return the instructions whose files are of two fits, with the reason."""
    names = [file.parent.name for file in paths.transforms.glob(f"*/{CARD}")]
    found = {name: mixture(paths, name) for name in sorted(names)}
    return {name: reason for name, reason in found.items() if reason is not None}


def _sealed(paths: Paths, folder: Path, card: Card) -> bool:
    """Tell whether the tensors in `folder` carry the SHA-256 that the card names."""
    hashes = hashes_in(paths.hashes)
    seal = hashes.seal(folder / TENSORS)
    hashes.save()
    return seal is not None and seal == card.sha256


def is_view(paths: Paths, name: str, stamp: ViewStamp) -> bool:
    """Tell whether table, tag and kept transform are there, and are those of the stamp."""
    table = paths.view_table(name)
    kept = paths.kept_transform(name, stamp.transform)
    card, live = read_manifest(kept / CARD, Card), noted_live_version(table)
    if not exists(table) or live is None or card is None or not _sealed(paths, kept, card):
        return False
    return stamp.version in (None, live)


def is_live(paths: Paths, name: str) -> bool:
    """Tell whether the view that readers see is made by the transform that there is."""
    stamp = read_manifest(paths.view_stamp(name), ViewStamp)
    card = read_manifest(paths.transform(name) / CARD, Card)
    if stamp is None or card is None or stamp.transform != card.fingerprint:
        return False
    return is_view(paths, name, stamp)


def unfinished(paths: Paths) -> list[str]:
    """Return what a kill has left halfway, in a line each."""
    lines = []
    if paths.unfinished_checkout.is_file():
        begun = read_manifest(paths.unfinished_checkout, CheckoutNote) or CheckoutNote()
        rev = begun.to or "REVISION"
        lines.append(f"a checkout of {rev}; run 'refract checkout {rev}' again, or 'refract run'")
    if paths.unfinished_rollback.is_file():
        note = read_manifest(paths.unfinished_rollback, RollbackNote) or RollbackNote()
        lines.append(
            f"a rollback of {note.name} to {note.version}; run 'refract run', or"
            " the same command again"
        )
    if paths.exchange.is_file() and not paths.unfinished_rollback.is_file():
        lines.append("a fit; run 'refract run'")
    if paths.turning.is_file():
        lines.append("a turn to the next encoder; run 'refract run'")
    return lines
