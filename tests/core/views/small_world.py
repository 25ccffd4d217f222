"""A base table and a view of thirty rows, without an encoder, a flow or a file of settings."""

import numpy as np
import polars as pl

from tasks.core.encoding.encoder import Encoded
from tasks.core.store import arrow, tables
from tasks.core.transforms.base import fit, save
from tasks.core.views import export, publishing
from tasks.core.views.view_rows import StoredRows
from tasks.core.workspace.manifests import Card

ABOUT = {"fingerprint": "enc", "dimensions": 6}
SETTINGS = {"temperature": None, "novelty": None, "floor": 0.1, "residual": 2}


def write_base(table, names, seed=0, about=None):
    """Replace the base table: the vector of a name depends on the name and `seed` only."""
    vectors = np.stack([_vector(name, seed) for name in names])
    frame = pl.DataFrame(
        {
            "id": names,
            "text_hash": [f"t-{name}-{seed}" for name in names],
            "row_hash": [f"r-{name}-{seed}" for name in names],
            "text": names,
            "channel": [("email", "chat")[n % 2] for n in range(len(names))],
        }
    )
    made = arrow.assemble(frame, {tables.VECTOR: arrow.vector_array(vectors, "float16")})
    note = ABOUT | (about or {})
    fragments = tables.write_fragments(table, made, note, fresh=True)
    tables.commit_whole(table, made.schema, note, fragments)
    return vectors


def _vector(name, seed):
    values = np.random.default_rng([*name.encode(), seed]).standard_normal(6)
    return (values / np.linalg.norm(values)).astype(np.float32)


def make_transform(folder, seed=1, residual=2):
    rng = np.random.default_rng(seed)
    y = np.arange(40) % 2
    x = rng.standard_normal((40, 6)) + np.where(y[:, None], 2, -2) * np.eye(6)[0]
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float32)
    made = fit("discriminant", x, y, ("angry", "glad"), x, SETTINGS | {"residual": residual}, seed)
    save(folder, made, Card(fingerprint=f"transform-{seed}", encoder="enc"))
    return made


class World:
    def __init__(self, root):
        self.base, self.view, self.folder = root / "base.lance", root / "v.lance", root / "mood"
        self.names = [f"n{n:02}" for n in range(30)]
        write_base(self.base, self.names)
        self.transform = make_transform(self.folder)

    def materialise(self, chunk=7):
        """Do what the flow does, without a checkpoint; return the plan."""
        about = publishing.describe(self.folder, "float32")
        version = tables.version(self.base)
        tables.rewind(self.view)
        todo = publishing.plan(self.base, version, self.view, about)
        written = [
            publishing.write_shard(
                *(self.base, version, self.view, todo.rows[at : at + chunk]),
                *(self.transform, about),
                whole=todo.whole,
                advance=lambda _: None,
            )
            for at in range(0, len(todo.rows), chunk)
        ]
        publishing.publish(*(self.base, version, self.view, todo, written, about), index_from=10**6)
        return todo

    def rows(self):
        frame = export.frame(StoredRows(self.view, live=True)).sort("id")
        assert frame["id"].is_unique().all()
        return frame


class OneVector:
    dimensions = 6

    def __init__(self, precision):
        self.precision = precision

    has_layers = False

    def encode(self, texts, advance, read=None):
        return Encoded(np.eye(6, dtype=np.float32)[: len(texts)], np.zeros(len(texts), bool))


def refit(world, kept, seed):
    """Publish the view under another transform, of one dimension more for each even seed."""
    world.transform = make_transform(world.folder, seed, residual=2 - seed % 2)
    publishing.keep_transform(kept, world.folder, f"transform-{seed}")
    world.materialise()
