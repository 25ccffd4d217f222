"""The two files of a fitted transform: tensors as safetensors, everything else as JSON.

Imports neither torch nor numpy, so that a status command can read a card at once.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tasks.core.settings.calibrated import CalibratedAuto, CalibratedPool, Worth
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import digest
from tasks.core.workspace.manifest import FORMAT, manifest_bytes, manifest_of, object_of
from tasks.core.workspace.manifests import ERASES, Card, Scores

TENSORS = "transform.safetensors"
REVISION = 10  # of formulas and label files: raise it where the same give another transform
CARD = "transform.json"
EXPERTS = ("discriminant", "kernel", "names", "corpus", "words")  # of a pool
OWN_KEYS = ("format", "method", "labels", "dimensions", "size", "settings", "sha256")


def sealed(payload: bytes, card: Card) -> dict[str, bytes]:
    """Return the content of the tensors, then of the card that holds their SHA-256, by name."""
    written = FORMAT if card.erased is None else ERASES
    whole = card.changed(format=written, sha256=hashlib.sha256(payload).hexdigest())
    return {TENSORS: payload, CARD: manifest_bytes(whole)}


def of_scores(scores: Scores) -> str:
    """Return a fingerprint of the scores, as the card that was made with them holds it."""
    return digest(object_of(scores))


def fits(card: Card, scores: Scores | None) -> bool:
    """Tell whether `scores` are of the transform that `card` is of.

    A card of an earlier Refract does not name its scores: then both name what they were made from.
    """
    if scores is None:
        return False
    if card.scores is not None:
        return card.scores == of_scores(scores)
    return scores.fingerprint in (None, card.fingerprint)


def chosen_by(folder: Path, card: Card) -> CalibratedAuto | None:
    """Return what the default method has chosen, by the card in `folder`; None of another method.

    InputError where the card does not hold what it should.
    """
    if card.method != "auto":
        return None
    try:
        return CalibratedAuto.of(card.settings)
    except ValueError as error:
        raise refuse(folder, f"an unusable transform ({error})", "a whole one") from error


def pool_of(folder: Path, card: Card) -> CalibratedPool | None:
    """Return the settings of a pool, by the card in `folder`; None where it is no pool.

    InputError where the card does not hold what it should.
    """
    found = chosen_by(folder, card)
    return found.settings if found and isinstance(found.settings, CalibratedPool) else None


def experts_of(folder: Path) -> list[Worth]:
    """Return what each expert of a pool weighs, and saves in nats a text left out, heaviest first.

    Nothing where the transform in `folder` is no pool; InputError where its card is broken.
    """
    found = pool_of(folder, read_card(folder))
    known = [each for each in found.worth if each.expert in EXPERTS] if found else []
    return sorted(known, key=lambda each: -each.weight)


def read_card(folder: Path) -> Card:
    """Read the JSON card of a transform alone; raise InputError where it is missing or broken."""
    path = folder / CARD
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise _refusal(path, "no such file", "a fitted transform") from None
    except (OSError, ValueError, RecursionError) as error:
        said = " ".join(str(error).split())[:120]
        raise _refusal(path, f"unreadable ({said})", "a JSON object") from None
    whole = f"a JSON object with {', '.join(OWN_KEYS)}"
    if not isinstance(found, dict):
        raise _refusal(path, type(found).__name__, whole)
    card = manifest_of(found, Card, path) or Card()
    missing = [key for key in OWN_KEYS if key not in card.model_fields_set]
    if missing:
        odd = f" (of another kind: {', '.join(card.odd)})" if card.odd else ""
        raise _refusal(path, f"no {', '.join(missing)}{odd}", whole)
    written = FORMAT if card.erased is None else ERASES
    if card.format != written:
        raise _refusal(path, f"format {card.format}", f"format {written}")
    return card


def read_artifact(folder: Path) -> tuple[bytes, Card]:
    """Read both files; raise InputError unless the tensors carry the hash that the card names."""
    card, path = read_card(folder), folder / TENSORS
    try:
        payload = path.read_bytes()
    except OSError as error:
        raise _refusal(path, error.strerror or "unreadable", f"the tensors of {CARD}") from None
    found, expected = hashlib.sha256(payload).hexdigest(), card.sha256
    if found != expected:
        raise _refusal(path, f"SHA-256 {found[:12]}", f"{expected[:12]} as in {CARD}")
    return payload, card


def is_whole(folder: Path) -> bool:
    """Tell whether both files are there and belong together."""
    try:
        read_artifact(folder)
    except InputError:
        return False
    return True


def refuse(folder: Path, found: str, expected: str) -> InputError:
    """Build the error for a card and tensors that do not fit each other."""
    return _refusal(folder / CARD, found, expected)


def _refusal(path: Path, found: str, expected: str) -> InputError:
    folder = path.parent
    kept = folder.parent.suffix == ".transforms"  # beside the view that it made
    cure = f"materialise {folder.parent.stem}" if kept else f"fit {folder.name} --force"
    return InputError(f"{path}: found {found}, expected {expected}; run 'refract {cure}'")
