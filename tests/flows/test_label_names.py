"""A fit reads the names of labels by the encoder, which is loaded for new names alone."""

import pytest

from flows.fit import fit
from flows.state import spoken_names
from flows.state.spoken_names import name_reader
from tasks.core.query import encoder
from tasks.core.settings.params import load_params
from tasks.core.transforms.card import experts_of
from tasks.core.workspace.paths import Paths
from tests.world import documents, set_params, write_labels


@pytest.fixture
def loads(monkeypatch):
    """The settings of each encoder that is loaded."""
    seen, real = [], encoder.load_query_encoder

    def load(settings):
        seen.append(settings)
        return real(settings)

    monkeypatch.setattr(encoder, "load_query_encoder", load)
    spoken_names._load.cache_clear()  # of tests before this one
    return seen


def tried(root, name):
    return {each.expert for each in experts_of(Paths(root).transform(name))}


def test_names_are_read_once_and_weighed(pooled, loads):
    assert "names" in tried(pooled, "topic")
    rows = [row for n, row in enumerate(documents()) if n % 3 != 1]
    write_labels(pooled, "topic", rows[1:])
    assert [report.refitted for report in fit(pooled, ["topic"]).fitted] == [True]
    assert loads == []
    renamed = [row | {"topic": row["topic"].replace("refund", "money back")} for row in rows]
    write_labels(pooled, "topic", renamed)
    fit(pooled, ["topic"])
    assert len(loads) == 1 and "names" in tried(pooled, "topic")


def test_where_nothing_is_stale_no_encoder_is_loaded(pooled, loads):
    assert fit(pooled).fitted == [] and loads == []


def test_names_lie_in_the_space_of_the_texts_or_are_not_read(pooled):
    paths = Paths(pooled)
    params = load_params(paths.params)
    assert name_reader(paths, params, "topic", "auto") is not None
    assert name_reader(paths, params, "topic", "discriminant") is None
    set_params(pooled, embed={"prompt": "another space: "})
    assert name_reader(paths, load_params(paths.params), "topic", "auto") is None
