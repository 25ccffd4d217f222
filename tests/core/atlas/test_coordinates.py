"""Where the rows of a table lie: in which order, what moves, what is kept."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import numpy as np
import psutil
import pyarrow as pa
import pytest

from tasks.core.atlas import kept
from tasks.core.atlas.coordinates import Source, coordinates
from tasks.core.atlas.making import Wanted, make, make_apart
from tasks.core.store import arrow, tables
from tests.clouds import clouds

NAMES = ("joy", "anger", "fear")


def ids_of(n):
    return [f"r/{number}" for number in range(n)]  # not in the order of their numbers


def write(table, ids, x, labels=None, hashes=None):
    """Write a table of vectors x with these ids as its latest version; return that as a source."""
    columns = {
        "id": pa.array(ids, pa.string()),
        "row_hash": pa.array(hashes or [f"content of {key}" for key in ids], pa.string()),
        "vector": arrow.vector_array(np.asarray(x, np.float32), "float16"),
    }
    if labels is not None:
        columns["label"] = pa.array([NAMES[c] for c in labels], pa.string())
    rows = pa.table(columns)
    parts = tables.write_fragments(table, rows, {}, fresh=True) if len(ids) else []
    return Source(table, tables.commit_whole(table, rows.schema, {}, parts), "fit 1")


@pytest.fixture
def three(tmp_path):
    """A base table and two views of one corpus, each in an order of its own."""
    x, y = clouds(240)
    ids = np.array(ids_of(240))
    found = []
    for at, name in enumerate(("base", "mood", "topic")):
        order = np.random.default_rng(at).permutation(240)
        labels = None if name == "base" else y[order]
        view = x[order] @ np.linalg.qr(np.random.default_rng(at).normal(size=(6, 6)))[0]
        found.append(write(tmp_path / f"{name}.lance", ids[order].tolist(), view, labels))
    return found


def orders(tmp_path, sources):
    return [Wanted(source, tmp_path / "maps" / source.table.stem) for source in sources]


def places_of(made):
    return dict(zip(made.rows.ids.to_pylist(), made.places.tolist(), strict=True))


def mean_move(first, second):
    return np.linalg.norm(first.places - second.places, axis=1).mean()


def mean_distance(made, first):
    """Return how far the rows that both maps have lie from where they lay on the first."""
    now, was = places_of(made), places_of(first)
    both = sorted(set(now) & set(was))
    return np.linalg.norm([np.subtract(now[key], was[key]) for key in both], axis=1).mean()


def test_all_views_of_a_corpus_have_the_same_rows_in_the_same_order(tmp_path, three):
    maps = make(orders(tmp_path, three))
    for made, source in zip(maps, three, strict=True):
        assert made.rows.ids.to_pylist() == sorted(ids_of(240))
        assert made.note.corpus == maps[0].note.corpus
        assert np.abs(made.places).max() <= 1
        there = tables.take(source.table, made.rows.row.astype(np.int64), ["id"])
        assert there["id"].to_pylist() == made.rows.ids.to_pylist()


def test_a_map_that_cannot_be_read_is_made_anew(tmp_path, three):
    wanted = orders(tmp_path, three[:1])
    first = make(wanted)[0]
    (file,) = wanted[0].folder.iterdir()
    file.write_bytes(b"no map")
    shares = []
    assert np.array_equal(make(wanted, shares.append)[0].places, first.places)
    assert shares[-1] == 1


def test_a_view_is_laid_upon_the_map_of_the_base_vectors(tmp_path, three):
    base = coordinates(three[0], None)
    alone, upon = coordinates(three[1], None), coordinates(three[1], None, towards=base)
    assert mean_move(upon, base) < mean_move(alone, base)


def test_a_map_is_made_once_a_version(tmp_path, three):
    first = coordinates(three[1], tmp_path / "mood")
    told = []
    again = coordinates(three[1], tmp_path / "mood", advance=told.append)
    assert told == []
    np.testing.assert_array_equal(again.places, first.places)
    assert again.rows.ids.equals(first.rows.ids)
    assert again.note == first.note
    np.testing.assert_array_equal(coordinates(three[1], tmp_path / "other").places, first.places)


def test_how_much_is_done_is_told_and_grows_to_all(three):
    told = []
    coordinates(three[1], None, points=100, advance=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)


def test_of_many_rows_a_sample_is_laid_out_and_the_others_lie_in_its_groups(three):
    made = coordinates(three[1], None, points=120)
    assert made.drawn.sum() == 120
    source = three[1]
    labels = tables.take(source.table, made.rows.row.astype(np.int64), ["label"])["label"]
    which = np.array(labels.to_pylist())
    middles = np.stack([made.places[(which == name) & made.drawn].mean(0) for name in NAMES])
    nearer = np.linalg.norm(made.places[:, None] - middles, axis=2).argmin(1)
    assert (np.array(NAMES)[nearer] == which)[~made.drawn].mean() > 0.8


def test_after_another_fit_rows_stay_near_where_they_lay(tmp_path):
    x, y = clouds(300, spread=0.4)
    first = coordinates(write(tmp_path / "v.lance", ids_of(300), x, y), tmp_path / "maps")
    changed = x + 0.02 * np.random.default_rng(2).normal(size=x.shape)
    changed[:6] = x[6:12]  # a few texts have another label now
    refit = replace(write(tmp_path / "v.lance", ids_of(300), changed, y), transform="fit 2")
    second = coordinates(refit, tmp_path / "maps")
    anew = coordinates(refit, None)
    assert mean_move(second, first) < 0.15  # of an extent of 2
    assert mean_move(second, first) < mean_move(anew, first)


@pytest.mark.parametrize("points", [60, 5_000])
def test_new_rows_are_placed_and_no_other_moves(tmp_path, points):
    x, y = clouds(240)
    old, folder = slice(0, 200), tmp_path / "maps"
    table = tmp_path / "v.lance"
    first = coordinates(write(table, ids_of(200), x[old], y[old]), folder, points=points)
    hashes = [f"content of {key}" for key in ids_of(240)]
    hashes[3] = "another text"
    keys = np.r_[1:240]  # the first is gone, the fourth is another
    more = write(table, [ids_of(240)[n] for n in keys], x[keys], y[keys], [hashes[n] for n in keys])
    second = coordinates(more, folder, points=points)
    was, now = places_of(first), places_of(second)
    assert set(now) == set(ids_of(240)[1:])
    assert all(now[key] == was[key] for key in ids_of(200)[1:] if key != "r/3")
    assert second.note.corpus != first.note.corpus


def test_a_corpus_that_has_grown_far_has_another_sample_near_the_earlier_places(tmp_path):
    x, y = clouds(600, spread=0.4)
    table, folder = tmp_path / "v.lance", tmp_path / "maps"
    few = write(table, ids_of(200), x[:200], y[:200])
    plain = coordinates(few, None, points=300)
    turned = replace(plain, places=-plain.places)  # where no map of these rows would lie by itself
    first = coordinates(few, folder, towards=turned, points=300)
    grown = write(table, ids_of(600), x, y)
    second, anew = (coordinates(grown, kept_at, points=300) for kept_at in (folder, None))
    assert first.note.drawn_of == 200
    assert second.note.drawn_of == 600
    assert second.drawn.sum() == 300
    far, far_anew = (mean_distance(made, first) for made in (second, anew))
    assert far < 0.5 * far_anew


def test_of_more_rows_than_a_map_holds_the_same_ones_are_drawn_in_every_view(tmp_path, three):
    maps = [coordinates(source, None, most=50) for source in three]
    for made in maps:
        assert len(made) == 50
        assert made.rows.total == 240
        assert made.rows.ids.equals(maps[0].rows.ids)
        assert made.note.corpus == maps[0].note.corpus


@pytest.mark.parametrize("n", [0, 1, 3])
def test_few_rows_have_a_map(tmp_path, n):
    source = write(tmp_path / "v.lance", ids_of(n), np.eye(6)[:n], [0] * n)
    made = coordinates(source, tmp_path / "maps")
    assert len(made) == n
    assert coordinates(source, tmp_path / "maps").places.shape == (n, 2)


def test_equal_vectors_do_not_lie_upon_each_other(tmp_path):
    source = write(tmp_path / "v.lance", ids_of(90), np.ones((90, 6)), [0] * 90)
    assert len(np.unique(coordinates(source, None, points=30).places, axis=0)) == 90


def test_two_maps_of_a_view_are_kept_and_no_more(tmp_path):
    x, _ = clouds(60)
    states = []
    for fit in range(4):
        source = replace(write(tmp_path / "v.lance", ids_of(60), x + fit), transform=str(fit))
        coordinates(source, tmp_path / "maps")
        states.append(f"{source.state}.arrow")
    assert sorted(path.name for path in (tmp_path / "maps").iterdir()) == sorted(states[-2:])


@pytest.mark.parametrize("harm", ["cut", "other", "empty"])
def test_a_damaged_map_is_made_anew(tmp_path, three, harm):
    first = coordinates(three[0], tmp_path / "maps")
    (file,) = (tmp_path / "maps").iterdir()
    whole = file.read_bytes()
    file.write_bytes({"cut": whole[: len(whole) // 2], "other": b"{}" * 99, "empty": b""}[harm])
    assert kept.read(tmp_path / "maps", three[0].state) is None
    np.testing.assert_array_equal(coordinates(three[0], tmp_path / "maps").places, first.places)
    assert kept.read(tmp_path / "maps", three[0].state) is not None


def test_a_process_of_its_own_makes_the_same_maps(tmp_path, three):
    here = make(orders(tmp_path / "here", three[:2]))
    told = []
    there = orders(tmp_path / "there", three[:2])
    make_apart(there, told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1, abs=0.001)
    for made, order in zip(here, there, strict=True):
        found = kept.read(order.folder, order.source.state)
        np.testing.assert_array_equal(found.places, made.places)


def test_what_hinders_the_process_is_told(tmp_path):
    order = Wanted(Source(tmp_path / "none.lance", 1, ""), tmp_path / "maps")
    with pytest.raises(RuntimeError, match=r"maps: not made: .*none.lance: no such table"):
        make_apart([order])


@pytest.mark.skipif(os.name != "posix", reason="kills by signal")
@pytest.mark.parametrize("whose", ["parent", "child"])
def test_a_kill_in_the_making_leaves_what_was_there(tmp_path, whose):
    x, y = clouds(900)
    folder = tmp_path / "maps"
    old = write(tmp_path / "v.lance", ids_of(60), x[:60], y[:60])
    first = coordinates(old, folder)
    new = replace(write(tmp_path / "v.lance", ids_of(900), x, y), transform="fit 2")
    script = (
        "import sys, os; from pathlib import Path;"
        "from tasks.core.atlas.making import Wanted, make_apart, make;"
        "from tasks.core.atlas.coordinates import Source;"
        f"order = Wanted(Source(Path({str(new.table)!r}), {new.version}, 'fit 2'),"
        f" Path({str(folder)!r}));"
        "say = lambda share: print(os.getpid(), share, flush=True);"
        f"({'make_apart' if whose == 'parent' else 'make'})([order], say)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()  # it has begun
        children = psutil.Process(process.pid).children()
        os.kill(process.pid, signal.SIGKILL)
        process.stdout.read()
    assert len(children) == (whose == "parent")
    _, left = psutil.wait_procs(children, 60)
    assert left == []  # who goes on would keep a map in the end
    assert kept.read(folder, new.state) is None
    np.testing.assert_array_equal(kept.read(folder, old.state).places, first.places)
    assert len(coordinates(new, folder)) == 900
