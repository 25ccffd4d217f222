"""Whether files that belong together are of one making, told from small notes and hashes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tasks.core.store.layout import exists, noted_live_version
from tasks.core.transforms.card import CARD, TENSORS, fits
from tasks.core.workspace.files import Hashes, read_json
from tasks.core.workspace.paths import Paths


def mixture(paths: Paths, name: str) -> str | None:
    """Return why card, tensors and scores of a transform are not of one fit, or None."""
    card = read_json(paths.transform(name) / CARD)
    if card is None:
        return None
    if not _sealed(paths, paths.transform(name), card):
        return "its tensors are not those of its card"
    if not fits(card, read_json(paths.metric(name)) or {}):
        return "its scores are not those of its transform"
    return None


def mixtures(paths: Paths) -> dict[str, str]:
    """Return the instructions whose files are of two fits, with the reason."""
    names = [file.parent.name for file in paths.transforms.glob(f"*/{CARD}")]
    found = {name: mixture(paths, name) for name in sorted(names)}
    return {name: reason for name, reason in found.items() if reason is not None}


def _sealed(paths: Paths, folder: Path, card: dict[str, Any]) -> bool:
    """Tell whether the tensors in `folder` carry the SHA-256 that the card names."""
    hashes = Hashes(paths.hashes)
    seal = hashes.seal(folder / TENSORS)
    hashes.save()
    return seal is not None and seal == card.get("sha256")


def is_view(paths: Paths, name: str, stamp: dict[str, Any]) -> bool:
    """Tell whether table, tag and kept transform are there, and are those of the stamp."""
    table = paths.view_table(name)
    kept = paths.kept_transform(name, str(stamp.get("transform")))
    card, live = read_json(kept / CARD), noted_live_version(table)
    if not exists(table) or live is None or card is None or not _sealed(paths, kept, card):
        return False
    return bool(stamp.get("version", live) == live)


def is_live(paths: Paths, name: str) -> bool:
    """Tell whether the view that readers see is made by the transform that there is."""
    stamp, card = read_json(paths.view_stamp(name)), read_json(paths.transform(name) / CARD)
    if stamp is None or card is None or stamp.get("transform") != card.get("fingerprint"):
        return False
    return is_view(paths, name, stamp)


def unfinished(paths: Paths) -> list[str]:
    """Return what a kill has left halfway, in a line each."""
    lines = []
    if paths.unfinished_checkout.is_file():
        rev = (read_json(paths.unfinished_checkout) or {}).get("to", "REVISION")
        lines.append(f"a checkout of {rev}; run 'refract checkout {rev}' again, or 'refract run'")
    if paths.unfinished_rollback.is_file():
        note = read_json(paths.unfinished_rollback) or {}
        lines.append(
            f"a rollback of {note.get('name')} to {note.get('version')}; run 'refract run', or"
            " the same command again"
        )
    if paths.exchange.is_file() and not paths.unfinished_rollback.is_file():
        lines.append("a fit; run 'refract run'")
    return lines
