"""params.yaml: the one place with settings, validated into frozen models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from tasks.core.errors import InputError
from tasks.core.paths import check_name

_INDEXED = "rows from which vectors get an index; below, search looks at every row"


class Section(BaseModel):
    """A part of params.yaml: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False
    )


class Ingest(Section):
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
        tuple[str, ...] | None, Field(description="columns to keep beside; null: all others")
    ] = None


class Embed(Section):
    """How a text becomes a base vector, once."""

    model: Annotated[
        str, Field(min_length=1, description="'bundled', a Hugging Face id, or a local folder")
    ] = "bundled"
    revision: Annotated[str | None, Field(description="commit or tag of a Hugging Face model")] = (
        None
    )
    prompt: Annotated[str, Field(description="put before every text")] = ""
    max_length: Annotated[
        int | None,
        Field(ge=8, le=131072, description="tokens kept of a text; null: the model's own"),
    ] = None
    batch_size: Annotated[int, Field(ge=1, le=65536, description="texts per forward pass")] = 64
    device: Annotated[
        str,
        Field(
            pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$", description="auto, cpu, cuda, cuda:N or mps"
        ),
    ] = "auto"
    precision: Annotated[
        Literal["auto", "float32", "bfloat16"],
        Field(description="auto measures which is faster here"),
    ] = "auto"
    storage: Annotated[
        Literal["float16", "float32"], Field(description="type of the stored vectors")
    ] = "float16"
    chunk: Annotated[
        int,
        Field(
            ge=16,
            le=1_000_000,
            description="texts per commit; at most this much work is lost by a kill",
        ),
    ] = 16_384
    index_from: Annotated[int, Field(ge=1_000, description=_INDEXED)] = 20_000


class Discriminant(Section):
    """Settings of the closed-form transform; null is calibrated on the labels."""

    temperature: Annotated[
        float | None, Field(gt=0, le=100, description="softens the posterior; null: calibrate")
    ] = None
    novelty: Annotated[
        float | None,
        Field(gt=0, lt=1, description="prior of a label nobody has seen; null: calibrate"),
    ] = None
    floor: Annotated[
        float, Field(ge=0, le=1, description="least weight of the generic residual")
    ] = 0.1
    residual: Annotated[
        int, Field(ge=0, le=4096, description="principal components of the residual")
    ] = 64


class GsTransform(Section):
    """Settings of the published transform (arXiv 2505.24754)."""

    hidden: Annotated[
        int, Field(ge=0, le=8192, description="hidden units; 0: one linear layer")
    ] = 512
    dimensions: Annotated[int, Field(ge=2, le=4096, description="dimensions of the view")] = 128
    margin: Annotated[float, Field(gt=0, description="distance kept between labels")] = 10.0
    contrastive: Annotated[float, Field(ge=0, description="weight of the contrastive loss")] = 1.0
    reconstruction: Annotated[
        float, Field(ge=0, description="weight of the reconstruction loss")
    ] = 1.0
    learning_rate: Annotated[float, Field(gt=0, lt=1, description="of Adam")] = 1e-4
    batch_size: Annotated[int, Field(ge=4, le=65536, description="texts per step")] = 64
    epochs: Annotated[int, Field(ge=1, le=100_000, description="at most")] = 500
    patience: Annotated[
        int, Field(ge=1, le=100_000, description="epochs without a better validation loss")
    ] = 10


class Fit(Section):
    """How a label file becomes a transform."""

    method: Annotated[
        Literal["identity", "gstransform", "discriminant"], Field(description="which transform")
    ] = "discriminant"
    held_out: Annotated[
        float, Field(gt=0, lt=0.9, description="share of the labels kept for the scores")
    ] = 0.2
    min_rows: Annotated[
        int, Field(ge=4, le=1_000_000, description="usable rows a label file must have")
    ] = 10
    seed: Annotated[int, Field(ge=0, lt=2**31, description="of every random choice")] = 1
    discriminant: Discriminant = Discriminant()
    gstransform: GsTransform = GsTransform()


class Materialise(Section):
    """How a transform becomes a view of the whole corpus."""

    storage: Annotated[
        Literal["float16", "float32"], Field(description="type of the stored view vectors")
    ] = "float16"
    chunk: Annotated[int, Field(ge=16, le=10_000_000, description="rows per shard")] = 65_536
    index_from: Annotated[int, Field(ge=1_000, description=_INDEXED)] = 20_000


class Engine(Section):
    """Where shards run."""

    runner: Annotated[
        Literal["local"], Field(description="Prefect task runner behind the flows")
    ] = "local"


class Params(Section):
    """All of params.yaml."""

    instructions: Annotated[
        dict[str, str],
        Field(
            description="name: wording; a label file without an entry here is worded by its name"
        ),
    ] = {}
    ingest: Ingest = Ingest()
    embed: Embed = Embed()
    fit: Fit = Fit()
    materialise: Materialise = Materialise()
    engine: Engine = Engine()

    @field_validator("instructions")
    @classmethod
    def _names(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            check_name(name)
        return value

    def wording(self, name: str) -> str:
        return self.instructions.get(name, name)


def load_params(path: Path) -> Params:
    """Read and validate `path`; the first mistake is named with its key, bound and value."""
    if not path.is_file():
        raise InputError(
            f"{path}: not found; expected a workspace; run 'refract init DIR' to make one,"
            " or give --root"
        )
    try:
        raw = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        where = " ".join(str(error).split())
        raise InputError(f"{path.name}: not readable as YAML ({where}); correct it") from error
    if raw is None:
        raw = {}
    if not isinstance(raw, dict):
        raise InputError(
            f"{path.name}: expected sections such as 'fit:', found {type(raw).__name__}"
        )
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        raise InputError(_first_mistake(path.name, error)) from error


def _first_mistake(file: str, error: ValidationError) -> str:
    details = error.errors()
    first = details[0]
    key = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(details) - 1} more)" if len(details) > 1 else ""
    if first["type"] == "extra_forbidden":
        known = ", ".join(_keys(first["loc"][:-1]))
        return f"{file}: {key}: unknown key; expected one of: {known}{more}"
    message = first["msg"].removeprefix("Value error, ")
    message = message.replace("Input should be", "must be", 1)
    return f"{file}: {key}: {message} (got {first['input']!r}){more}"


def _keys(section: tuple[int | str, ...]) -> list[str]:
    model: Any = Params
    for part in section:
        model = model.model_fields[str(part)].annotation
    return list(model.model_fields)


def render_params(params: Params) -> str:
    """Write `params` as YAML with each key's description beside it."""
    lines = ["# Settings of this workspace; what is unknown or out of bounds is refused by name."]
    for name, field in Params.model_fields.items():
        value = getattr(params, name)
        if isinstance(value, Section):
            lines += ["", f"{name}:  # {(value.__doc__ or '').strip()}", *_render(value, "  ")]
        else:
            lines += ["", f"# {field.description}", *_dump_block(name, value)]
    return "\n".join(lines) + "\n"


def _render(section: Section, indent: str) -> list[str]:
    lines = []
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, Section):
            lines += [f"{indent}{name}:  # {(value.__doc__ or '').strip()}"]
            lines += _render(value, indent + "  ")
        else:
            lines += [f"{indent}{name}: {_dump(value)}  # {field.description}"]
    return lines


def _dump_block(name: str, value: dict[str, str]) -> list[str]:
    if not value:
        return [f"{name}: {{}}"]
    return [f"{name}:", *(f"  {_dump(key)}: {_dump(text)}" for key, text in value.items())]


def _dump(value: object) -> str:
    plain = list(value) if isinstance(value, tuple) else value
    text = yaml.safe_dump(plain, default_flow_style=True, allow_unicode=True, width=10**6)
    return text.removesuffix("\n").removesuffix("...").removesuffix("\n")
