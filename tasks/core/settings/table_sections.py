"""The sections of the tables that are made: corpus, base vectors, views."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from tasks.core.settings.section import Section

_INDEXED = "rows from which vectors get an index; below, search looks at every row"


class IngestSettings(Section):
    """What becomes the corpus."""

    sources: Annotated[
        tuple[str, ...],
        Field(min_length=1, description="files, folders and globs, below the root or absolute"),
    ] = ("data/raw",)
    id: Annotated[
        str | None, Field(description="column of the id; null: detect, or the text's hash")
    ] = None
    text: Annotated[str | None, Field(description="column of the text; null: detect")] = None
    metadata: Annotated[
        tuple[str, ...] | None,
        Field(description="columns kept beside id and text; null: all others"),
    ] = None
    delimiter: Annotated[
        str | None,
        Field(description="character between columns of .csv and .tsv files; null: find out"),
    ] = None
    quoting: Annotated[
        Literal["quoted", "escaped", "none"] | None,
        Field(description="quotes in .csv: quoted, escaped (by a backslash), none; null: find out"),
    ] = None
    header: Annotated[
        int | None, Field(ge=0, le=50, description="line of the header, 0: none; null: find out")
    ] = None
    encoding: Annotated[
        str | None,
        Field(description="encoding of text files, such as cp1252; null: UTF-8, or its mark"),
    ] = None

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        value = {"tab": "\t", "\\t": "\t"}.get(value or "", value)
        if value is not None and (len(value) != 1 or value in '"\r\n\0'):
            raise ValueError("must be one character, or 'tab'")
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        try:
            return value if value is None else "".encode(value).decode(value) or value
        except (LookupError, ValueError) as error:
            raise ValueError("must be an encoding such as 'utf-8' or 'cp1252'") from error


KINDS = {
    "float16": ("float16", "float16"),
    "float32": ("float32", "float16"),
    "int8": ("float16", "int8"),  # Lance 14 neither searches nor indexes int8 by cosine
}
"""Types of the stored vectors and of the features beside them, by `embed.storage`."""


def stored_as(storage: str | None, *, features: bool) -> str:
    """Say what a value of `embed.storage` means: the type of the vectors, and features if other.

    features: whether there are any.
    """
    vectors, of_features = KINDS.get(storage or "", (storage, "float16"))
    same = not features or of_features == "float16"
    return str(vectors) if same else f"{vectors}, features as {of_features}"


class EmbedSettings(Section):
    """How a text becomes a base vector, once."""

    model: Annotated[
        str, Field(min_length=1, description="'bundled', a Hugging Face id, or a local folder")
    ] = "bundled"
    revision: Annotated[str | None, Field(description="commit or tag of a Hugging Face model")] = (
        None
    )
    prompt: Annotated[
        str, Field(description="words put before every text, if the model asks for some")
    ] = ""
    max_length: Annotated[
        int | None,
        Field(ge=8, le=131072, description="tokens read of a text; null: as many as the model can"),
    ] = None
    long: Annotated[
        Literal["cut", "windows"],
        Field(
            description="texts longer than that: cut, or windows: read whole, a part after another"
        ),
    ] = "cut"
    batch_size: Annotated[int, Field(ge=1, le=65536, description="texts encoded together")] = 64
    device: Annotated[
        str,
        Field(
            pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$",
            description="where the encoder runs: auto, cpu, cuda, cuda:N or mps",
        ),
    ] = "auto"
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        Field(description="float32 or bfloat16; auto: the one that is faster here"),
    ] = "auto"
    storage: Annotated[
        Literal["float16", "float32", "int8"],
        Field(
            description="type of the stored base vectors: float16 or float32; int8: float16, with"
            " features in 8 bits a number and an index of 2"
        ),
    ] = "float16"
    features: Annotated[
        Literal["layers", "last"],
        Field(
            description="layers: transforms read several layers of the encoder; last: the vector"
        ),
    ] = "layers"
    feature_size: Annotated[
        int, Field(ge=16, le=4096, description="numbers kept of a text's layers")
    ] = 384
    chunk: Annotated[
        int,
        Field(
            ge=16,
            le=1_000_000,
            description="texts per commit; at most this much work is lost by a kill",
        ),
    ] = 16_384
    index_from: Annotated[int, Field(ge=1_000, description=_INDEXED)] = 20_000
    next: Annotated[
        dict[str, Any] | None,
        Field(
            description="what the encoder that is to follow has other than these, such as {model:"
            " NAME}; 'refract embed --migrate' brings it"
        ),
    ] = None

    @model_validator(mode="after")
    def _has_what_is_stored(self) -> Self:
        if self.storage == "int8" and self.features == "last":
            raise ValueError(
                "storage: int8 is of features, and features: last keeps none; set storage: float16,"
                " or features: layers"
            )
        if self.next is not None:
            self._merged(self.next)
        return self

    def __hash__(self) -> int:
        """Return a hash, as encoders that are loaded are remembered by their settings."""
        return hash(self.model_dump_json())

    @property
    def following(self) -> EmbedSettings | None:
        """The settings of the encoder that is to follow this one; None where none is."""
        return None if self.next is None else self._merged(self.next)

    def _merged(self, changed: dict[str, Any]) -> EmbedSettings:
        if "next" in changed:
            raise ValueError("next: found 'next' in it; expected one encoder after this one")
        try:
            return type(self).model_validate({**self.model_dump(), **changed, "next": None})
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(["next", *map(str, first["loc"])])
            raise ValueError(f"{key}: {first['msg'].removeprefix('Value error, ')}") from error


AUTO = "auto"
FROM_ROWS = 100_000_000  # rows × views from which views are lazy: 68 GB at 675 bytes a row


class MaterialiseSettings(Section):
    """How a transform becomes a view of the whole corpus."""

    mode: Annotated[
        Literal["auto", "full", "lazy"],
        Field(
            description="full: rows of views are stored; lazy: made when asked for; auto: lazy from"
            " 10⁸ rows × views on"
        ),
    ] = "auto"
    storage: Annotated[
        Literal["float16", "float32"],
        Field(description="type of the stored view vectors: float16 or float32"),
    ] = "float16"
    chunk: Annotated[
        int,
        Field(
            ge=16,
            le=10_000_000,
            description="rows transformed together; at most this much work is lost by a kill",
        ),
    ] = 65_536
    index_from: Annotated[int, Field(ge=1_000, description=_INDEXED)] = 20_000
    keep: Annotated[
        int,
        Field(
            ge=2,
            le=10_000,
            description="versions of a view and its transform that stay at hand; DVC keeps all",
        ),
    ] = 10
    text: Annotated[
        bool,
        Field(description="views hold the texts and index their words, for LanceDB's own clients"),
    ] = False
    retire: Annotated[
        bool, Field(description="remove the view of a label file that was removed")
    ] = False
