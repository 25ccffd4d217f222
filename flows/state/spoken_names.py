"""Who reads the names of an instruction's labels: the encoder that made the base vectors."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING

from flows.state.trust import ask
from tasks.core.encoding import vector_space
from tasks.core.encoding.label_names import NameReader
from tasks.core.labels.taxonomy import Label, read_taxonomy
from tasks.core.settings.methods import READS_NAMES
from tasks.core.settings.params import Params
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.manifests import EmbedStamp
from tasks.core.workspace.paths import Paths

if TYPE_CHECKING:
    from tasks.core.encoding.encoder import Encoder


def name_reader(
    paths: Paths, params: Params, name: str, method: str, *, elsewhere: bool = False
) -> NameReader | None:
    """Return what reads the names of an instruction's labels, if `method` learns from them.

    Nothing where the base vectors are of another encoder than params.yaml says: names and texts
    must lie in one space. The encoder is loaded when a name is read for the first time,
    in numpy where it can be: that takes a tenth of a second, sentence-transformers three.
    elsewhere: another machine may read them, which knows of no agreement; so it is asked for here.
    """
    space = vector_space.fingerprint(params.embed)
    stamp = read_manifest(paths.stamp("embed"), EmbedStamp)
    if method not in READS_NAMES or stamp is None or stamp.encoder != space:
        return None

    exact = {"precision": "float32"} if params.embed.precision == "auto" else {}
    settings = params.embed.model_copy(update=exact)
    if elsewhere:
        ask(paths, "model")
        return NameReader(space, paths.spoken(name), partial(_load, settings, space))

    def encoder() -> Encoder:
        ask(paths, "model")
        return _load(settings, space)

    return NameReader(space, paths.spoken(name), encoder)


def named_labels(paths: Paths, name: str) -> list[Label]:
    """Return what people called the labels of an instruction; none where they did not."""
    file = paths.classes(name)
    return read_taxonomy(file) if file.is_file() else []


@lru_cache(maxsize=1)
def _load(settings: EmbedSettings, _space: str) -> Encoder:
    """Load the encoder, once for all instructions of a run; the space names its weights, too."""
    from tasks.core.query.encoder import load_query_encoder

    return load_query_encoder(settings)
