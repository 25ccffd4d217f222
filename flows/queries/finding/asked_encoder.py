"""The encoder that params.yaml asks for, while a space is open: the next one may follow it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flows.migration.turning import wait_turned
from flows.state.trust import ask
from tasks.core.encoding.vector_space import fingerprint
from tasks.core.query.encoder import load_query_encoder
from tasks.core.settings.params import load_params
from tasks.core.workspace.paths import Paths
from tasks.signs import sign

if TYPE_CHECKING:
    from tasks.core.encoding.encoder import Encoder
    from tasks.core.settings.table_sections import EmbedSettings


class AskedEncoder:
    """The encoder of the settings; these are read again where a table was made by another one."""

    def __init__(self, paths: Paths, settings: EmbedSettings) -> None:
        self._paths = paths
        self._settings, self._space = settings, fingerprint(settings)

    def names(self, space: str) -> bool:
        """Tell whether the encoder that is asked for has this fingerprint, as of now."""
        if space != self._space:
            self._settings = load_params(self._paths.params).embed
            self._space = fingerprint(self._settings)
        return space == self._space

    def encoder(self, precision: str) -> Encoder:
        """Return it, in the precision that base vectors were encoded in."""
        ask(self._paths, "model")
        sign("loading the encoder")
        auto = self._settings.precision == "auto"
        exact = self._settings.model_copy(update={"precision": precision})
        return load_query_encoder(exact if auto else self._settings)

    def wait_turned(self) -> None:
        """Wait while the workspace turns over to another encoder."""
        wait_turned(self._paths)
