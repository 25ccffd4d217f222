"""How a manifest is read and written: a small JSON file in which a stage notes what it made.

The records are in `manifests`; this module holds what all of them share.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr, ValidationError

from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import as_json, read_json, write_bytes

FORMAT = 1  # of all manifests; one without the key `format` is of format 1


class Part(BaseModel):
    """A JSON object inside a manifest. Keys that it does not declare are kept as they are."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="allow", protected_namespaces=(), populate_by_name=True
    )


class Manifest(Part):
    """What a JSON file of a workspace notes, frozen; its keys are those of the file.

    Every key may be missing, since earlier versions noted less. Only what was given is written.
    """

    format: int = FORMAT
    NEWEST: ClassVar[int] = FORMAT  # that is read
    _odd: dict[str, object] = PrivateAttr(default_factory=dict)  # kept, but counted as missing

    def changed(self, **new: object) -> Self:
        """Return this with `new` values; all else stays, also what this version does not know."""
        unknown = sorted(new.keys() - type(self).model_fields.keys())
        if unknown:
            raise TypeError(f"{type(self).__name__}: has no {', '.join(unknown)}")
        type(self).model_validate(new)
        made = self.model_copy(update=new)
        made._odd = {key: value for key, value in self._odd.items() if key not in new}
        return made

    @property
    def odd(self) -> tuple[str, ...]:
        """The keys whose value is of another kind than expected, sorted."""
        return tuple(sorted(self._odd))


_Kind = TypeVar("_Kind", bound=Manifest)


def manifest_of(found: object, kind: type[_Kind], where: str | Path) -> _Kind | None:
    """Return what the JSON value `found` notes; None where it is no object, or an empty one.

    A value of another kind than expected counts as missing. where: what holds it, for a message.
    InputError where a newer Refract has written it.
    """
    if not isinstance(found, dict) or not found:
        return None
    written = found.get("format")
    if isinstance(written, int) and written > kind.NEWEST:
        raise InputError(
            f"{where}: was written by a newer Refract (format {written}, this one reads"
            f" {kind.NEWEST}); upgrade Refract"
        )
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        odd = {str(one["loc"][0]) for one in error.errors(include_url=False, include_input=False)}
    made = kind.model_validate({key: value for key, value in found.items() if key not in odd})
    made._odd = {key: value for key, value in found.items() if key in odd}
    return made


def read_manifest(path: Path, kind: type[_Kind]) -> _Kind | None:
    """Return what the file at `path` notes; None where it is missing, broken or empty.

    InputError where a newer Refract has written it.
    """
    return manifest_of(read_json(path), kind, path)


def parse_manifest(content: bytes | None, kind: type[_Kind], where: str) -> _Kind | None:
    """Return what the bytes of a manifest note, as `read_manifest` does of a file."""
    try:
        found = json.loads(content or b"{}")
    except (ValueError, RecursionError):
        return None
    return manifest_of(found, kind, where)


def object_of(manifest: Manifest) -> dict[str, object]:
    """Return the JSON object of a manifest: what was given or read, no key more, none less."""
    return manifest.model_dump(by_alias=True, exclude_unset=True) | manifest._odd


def manifest_bytes(manifest: Manifest) -> bytes:
    """Return the content of a manifest's file."""
    return as_json(object_of(manifest))


def write_manifest(path: Path, manifest: Manifest, *, private: bool = False) -> None:
    """Replace the file at `path` by `manifest`, in one step; private: for its owner alone."""
    write_bytes(path, manifest_bytes(manifest), private=private)
