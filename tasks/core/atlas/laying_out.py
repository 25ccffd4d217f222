"""A sample laid out: from nothing, from a map of other vectors, or from its own earlier one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.core.atlas.neighbours import Sample
from tasks.core.atlas.placing import Among, within_circle
from tasks.core.atlas.plane import Plane, laid_upon, shrunk
from tasks.core.atlas.tsne import affinities, descend

APART, GATHERED = 12.0, 4.0  # exaggeration at first: of a map from nothing; from another's places
GATHER, SPREAD, SETTLE = 100, 250, 60  # steps: with it, without it, and of an earlier map
_SMALL = 1e-2  # spread of a map that is to grow
_SHAPE = 1e-6  # squared distance of the farthest two, below which all rows are one
FEWEST = 4  # rows that have a shape


@dataclass(frozen=True)
class Guide:
    """The places (m, 2) that some rows of a sample, at `rows`, have on a map that is there.

    scale: units of t-SNE in one of that map, where it is an earlier map of the same view that has
    most of the sample, which settles from there; 0 where the sample only begins there, and gathers.
    """

    rows: NDArray[np.int64]
    places: Plane
    scale: float = 0.0


def steps_of(guide: Guide | None) -> int:
    """Return how many steps `laid_out` takes."""
    return SETTLE if guide is not None and guide.scale else GATHER + SPREAD


def laid_out(
    sample: Sample, keys: NDArray[np.uint64], guide: Guide | None, advance: Callable[[], None]
) -> tuple[Plane, float]:
    """Return a place (m, 2) in [-1, 1] for each row of the sample, and the scale (see `Guide`).

    keys: the hash of each id, which says where rows lie that have no shape: fewer than four, or
    equal ones. With a guide the map is turned and moved towards it.
    """
    if not has_shape(sample):
        return within_circle(keys), 1.0
    p = affinities(sample)
    y = _begin(sample, keys, guide)
    if guide is not None and guide.scale:
        settled = descend(p, y * np.float32(guide.scale), SETTLE, 1.0, advance)
        places, scale = laid_upon(settled / guide.scale, guide.rows, guide.places)
        return places, scale * guide.scale
    y = descend(p, _small(y), GATHER, APART if guide is None else GATHERED, advance)
    places, scale = shrunk(descend(p, y, SPREAD, 1.0, advance))
    if guide is None:
        return places, scale
    turned, more = laid_upon(places, guide.rows, guide.places)
    return turned, scale * more


def has_shape(sample: Sample) -> bool:
    """Tell whether the rows differ, and are enough to lie in some order."""
    return len(sample) >= FEWEST and float(np.ptp(sample.seen, axis=0).max() ** 2) > _SHAPE


def _begin(sample: Sample, keys: NDArray[np.uint64], guide: Guide | None) -> Plane:
    """Return where each row begins: by the guide, among rows that it knows, or along two axes."""
    if guide is None:
        missing = 2 - min(2, sample.seen.shape[1])
        return np.pad(sample.seen[:, :2], ((0, 0), (0, missing)))
    places = np.empty((len(sample), 2), np.float32)
    places[guide.rows] = guide.places
    others = np.setdiff1d(np.arange(len(sample)), guide.rows)
    if len(others):
        known = Among(sample.part(guide.rows), guide.places)
        places[others] = known.places_of(sample.seen[others], keys[others])
    return places


def _small(places: Plane) -> Plane:
    around = places - places.mean(0)
    return np.asarray(around * (_SMALL / max(float(around.std()), 1e-12)), np.float32)
