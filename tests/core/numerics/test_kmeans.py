"""k-means: exact or rough, it finds clouds, and equal rows are no reason to warn."""

import numpy as np
import pytest

from tasks.core.numerics import kmeans as module
from tasks.core.numerics.kmeans import kmeans


@pytest.fixture(params=["exact", "rough", "rough, of many rows"])
def rough(request, monkeypatch):
    if request.param == "rough, of many rows":
        monkeypatch.setattr(module, "LARGE", 10)
    return request.param != "exact"


def test_clouds_that_lie_apart_are_found(rough):
    y = np.arange(60) % 2
    x = np.eye(8)[y] + 0.01 * np.random.default_rng(0).normal(size=(60, 8))
    found = kmeans(x, 2, 1, rough=rough)
    assert len(set(zip(y, found, strict=True))) == 2
    assert np.array_equal(found, kmeans(x, 2, 1, rough=rough))


def test_equal_rows_make_fewer_clusters_and_no_warning(rough):
    assert len(np.unique(kmeans(np.ones((12, 4)), 3, 1, rough=rough))) < 3
