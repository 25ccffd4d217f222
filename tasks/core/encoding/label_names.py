"""The names of labels as the encoder reads them, each once, and kept for the next fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from tasks.core.encoding.encoder import Encoder
from tasks.core.workspace.files import digest, write_bytes

WAYS = ("{}", "This is about {}.", "This expresses {}.")
"""How a name is said. Measured with the discriminant on 14 aspects at 100 labels, accuracy with one
way 63.7, these three 63.8, seven or eight 63.7; of names alone 43.3, 44.6, 44.7."""
MOST = 200  # names, at some 20 to 100 ms of a core each: of more labels none is read
LONGEST = 200  # characters of a name that are read: a description, not a document
NO_WORDS: Mapping[str, str] = MappingProxyType({})
_MARKS = re.compile(r"[_\-/&\s]+")
_SPACES = "spaces"  # metadata of the file: which encoder


class NameReader(NamedTuple):
    """Reads the names of labels: what was read before from `memory`, others by the encoder.

    space: names the encoder, whose vectors alone count; encoder: loads it.
    """

    space: str
    memory: Path
    encoder: Callable[[], Encoder]

    def read(
        self, names: Sequence[str], dimensions: int, described: Mapping[str, str] = NO_WORDS
    ) -> np.ndarray | None:
        """Return (k, t, d) float32, each name said in t ways; None for more than MOST.

        dimensions: d, of the vectors that they are to lie beside. described: what some names are
        for; these are said, too, and then t is twice as many. Measured on three aspects, accuracy
        by names alone 44.5, by "name: what for" 48.5, by what for 46.7, by both apart 49.8.
        """
        if len(names) > MOST:
            return None
        known = self._known((len(WAYS), dimensions))
        beside = [described.get(name) or name for name in names] if described else []
        every = dict.fromkeys([*names, *beside])
        fresh = [said for said in every if digest(said) not in known]
        if fresh:
            found = say_names(fresh, self.encoder())
            known |= {digest(said): each for said, each in zip(fresh, found, strict=True)}
            self._keep({digest(said): known[digest(said)] for said in every})
        both = [names, beside] if beside else [names]
        said = [np.stack([known[digest(each)] for each in some]) for some in both]
        return np.concatenate(said, axis=1)

    def _known(self, shape: tuple[int, int]) -> dict[str, np.ndarray]:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.memory, "numpy") as held:
                if (held.metadata() or {}).get("made") != self._made:
                    return {}
                found = {key: held.get_tensor(key) for key in held.keys()}  # noqa: SIM118
        except (OSError, SafetensorError):
            return {}
        return {
            key: each
            for key, each in found.items()
            if each.shape == shape and np.isfinite(each).all()
        }

    def _keep(self, said: dict[str, np.ndarray]) -> None:
        from safetensors.numpy import save

        write_bytes(self.memory, save(said, {"made": self._made}))

    @property
    def _made(self) -> str:
        return digest(self.space, WAYS)


def say_names(names: Sequence[str], encoder: Encoder) -> np.ndarray:
    """Encode each name in all ways, (k, t, d) float32; `_ - / &` are read as spaces.

    One name at a time: what is encoded beside a text changes its last digits, and the same name
    must give the same numbers.
    """
    said = [[way.format(_clean(name)) for way in WAYS] for name in names]
    return np.stack([encoder.encode(each, lambda _: None).vectors for each in said])


def _clean(name: str) -> str:
    return _MARKS.sub(" ", name)[:LONGEST].strip() or name[:LONGEST]
