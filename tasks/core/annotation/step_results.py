"""The result of each step of a labelling, kept until the step is asked for something else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.core.workspace.manifest import read_manifest, write_manifest
from tasks.core.workspace.state_manifests import StepValue

SAMPLE, NOTES, CLUSTERS, CHOICES = "sample", "notes", "clusters", "choices"
LABELS, FOUND = "labels", "found"  # the labels, and the steps that found them


@dataclass(frozen=True)
class StepResults:
    """A folder with one JSON file a step; each holds what it was made from, and its value."""

    folder: Path

    def load(self, step: str, made_from: str) -> Any:
        """Return the value of a step if it was made from the same inputs, or None."""
        known = read_manifest(self._file(step), StepValue) or StepValue()
        return known.value if known.made_from == made_from else None

    def save(self, step: str, made_from: str, value: Any) -> Any:
        """Write the value (JSON) of a step and a fingerprint of its inputs; return the value."""
        write_manifest(self._file(step), StepValue(made_from=made_from, value=value))
        return value

    def latest(self, step: str) -> Any:
        """Return the value that was found last; ValueError before there is one."""
        known = read_manifest(self._file(step), StepValue)
        if known is None:
            raise ValueError(f"{self._file(step)}: no value yet; expected that of an earlier step")
        return known.value

    def _file(self, step: str) -> Path:
        return self.folder / f"{step}.json"
