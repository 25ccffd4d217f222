"""The sections of params.yaml: defaults, bounds, and a line on each key."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator

METHODS = {
    "auto": "tasks.core.transforms.auto:Auto",
    "discriminant": "tasks.core.transforms.discriminant:Discriminant",
    "kernel": "tasks.core.transforms.kernel:Kernel",
    "fda": "tasks.core.transforms.fda:Fda",
    "gstransform": "tasks.core.transforms.gstransform:GsTransform",
    "identity": "tasks.core.transforms.centroids:Identity",
}
"""Each method of `fit.method` with its class, a `Transform`, imported when asked for."""

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


class Embed(Section):
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
        Literal["float16", "float32"],
        Field(description="type of the stored base vectors: float16 or float32"),
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


class DiscriminantSettings(Section):
    """Settings of the closed-form transform; null is calibrated on the labels."""

    temperature: Annotated[
        float | None,
        Field(
            gt=0,
            le=100,
            description="temperature that softens probabilities; null: calibrate on the labels",
        ),
    ] = None
    novelty: Annotated[
        float | None,
        Field(
            gt=0,
            lt=1,
            description="prior probability of a new label; null: calibrate on the labels",
        ),
    ] = None
    floor: Annotated[
        float, Field(ge=0, le=1, description="least weight of what the labels do not explain")
    ] = 0.05
    residual: Annotated[
        int,
        Field(
            ge=0, le=4096, description="principal components kept of what the labels do not explain"
        ),
    ] = 64


class KernelSettings(Section):
    """Settings of the nonlinear closed-form transform; null is chosen on the labels."""

    landmarks: Annotated[
        int, Field(ge=2, le=10_000, description="labelled texts that a new one is compared with")
    ] = 1_000
    width: Annotated[
        float | None,
        Field(gt=0, le=100, description="how fast likeness falls with distance; null: choose"),
    ] = None
    ridge: Annotated[
        float | None, Field(gt=0, le=1_000, description="smooths the posterior; null: choose")
    ] = None
    pool: Annotated[
        float | None,
        Field(ge=0, lt=1, description="share of the discriminant in the posterior; null: choose"),
    ] = None


class GsTransformSettings(Section):
    """Settings of the published transform (arXiv 2505.24754)."""

    hidden: Annotated[
        int, Field(ge=0, le=8192, description="units of the hidden layer; 0: one linear layer")
    ] = 512
    dimensions: Annotated[int, Field(ge=2, le=4096, description="dimensions of the view")] = 128
    margin: Annotated[
        float, Field(gt=0, description="distance from which two labels count as apart")
    ] = 10.0
    contrastive: Annotated[
        float, Field(ge=0, description="weight of the contrastive loss in the sum of losses")
    ] = 1.0
    reconstruction: Annotated[
        float, Field(ge=0, description="weight of the reconstruction loss in the sum of losses")
    ] = 1.0
    learning_rate: Annotated[
        float, Field(gt=0, lt=1, description="learning rate of the optimiser (Adam)")
    ] = 1e-4
    batch_size: Annotated[int, Field(ge=4, le=65536, description="texts per training step")] = 64
    epochs: Annotated[int, Field(ge=1, le=100_000, description="most passes over the texts")] = 500
    patience: Annotated[
        int,
        Field(
            ge=1,
            le=100_000,
            description="passes without a better validation loss after which training ends",
        ),
    ] = 10


class Fit(Section):
    """How a label file becomes a transform."""

    method: Annotated[
        str,
        Field(description="kind of transform; auto: the better of discriminant and kernel"),
    ] = "auto"
    held_out: Annotated[
        float, Field(gt=0, lt=0.9, description="share of the labels kept for the scores")
    ] = 0.2
    min_rows: Annotated[
        int, Field(ge=4, le=1_000_000, description="usable rows a label file must have")
    ] = 10
    separator: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=8,
            description="what parts the labels of a cell, such as ';'; null: one label, or a list",
        ),
    ] = None
    seed: Annotated[
        int, Field(ge=0, lt=2**31, description="number from which all random choices follow")
    ] = 1
    gate: Annotated[
        bool,
        Field(
            description="publish no view that has learnt nothing, or is worse than the base vectors"
        ),
    ] = True
    discriminant: DiscriminantSettings = DiscriminantSettings()
    kernel: KernelSettings = KernelSettings()
    gstransform: GsTransformSettings = GsTransformSettings()

    @field_validator("method")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in METHODS:
            names = [f"'{name}'" for name in METHODS]
            raise ValueError(f"must be {', '.join(names[:-1])} or {names[-1]}")
        return value

    def method_settings(self) -> dict[str, Any]:
        """Return the settings that the method reads; `auto` those of its candidates by name.

        A kernel has a discriminant behind it, with the settings of that.
        """
        sections = self.model_dump(mode="json")
        if self.method == "auto":
            return {name: sections[name] for name in ("discriminant", "kernel")}
        if self.method == "kernel":
            return {**sections["kernel"], "gate": sections["discriminant"]}
        return dict(sections.get(self.method, {}))


class Materialise(Section):
    """How a transform becomes a view of the whole corpus."""

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
    retire: Annotated[
        bool, Field(description="remove the view of a label file that was removed")
    ] = False


class Serve(Section):
    """What `refract serve` runs, and when."""

    name: Annotated[
        str | None,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$",
            description="name of its deployments in Prefect; null: the folder's name",
        ),
    ] = None
    port: Annotated[
        int,
        Field(
            ge=0,
            le=65535,
            description="port of its own Prefect server on this machine; 0: any free one",
        ),
    ] = 4200
    corpus: Annotated[
        str | None, Field(description="when new documents are taken in (cron); null: by hand only")
    ] = "0 3 * * *"
    maintain: Annotated[
        str | None, Field(description="when the tables are maintained (cron); null: by hand only")
    ] = "30 4 * * 0"
    reconcile: Annotated[
        int, Field(ge=5, le=86_400, description="seconds between two looks for what is missing")
    ] = 600
    settle: Annotated[
        float, Field(ge=0.1, le=600, description="seconds a label file rests before it is read")
    ] = 1.0
    timezone: Annotated[str, Field(description="time zone of both crons")] = "UTC"

    @field_validator("corpus", "maintain")
    @classmethod
    def _cron(cls, value: str | None) -> str | None:
        from cronsim import CronSim, CronSimError

        if value is not None:
            try:
                CronSim(value, datetime(2026, 1, 1))  # only its syntax is looked at
            except CronSimError as error:
                raise ValueError(f"must be a cron line such as '0 3 * * *' ({error})") from error
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError("must be a time zone such as 'UTC' or 'Europe/Paris'")
        return value


class Maintain(Section):
    """What the upkeep of the tables does."""

    keep_days: Annotated[
        int,
        Field(
            ge=0, le=36_500, description="days after which earlier versions of a table are removed"
        ),
    ] = 14
    fragments: Annotated[
        int,
        Field(
            ge=2,
            le=100_000,
            description="files (fragments) from which a table is compacted into few",
        ),
    ] = 64


class Record(Section):
    """How a run is recorded in git and DVC."""

    commit: Annotated[
        Literal["serve", "always", "never"],
        Field(description="git commit by: serve ('refract serve' alone), always (any run), never"),
    ] = "serve"
    tag: Annotated[
        bool, Field(description="with a commit: a git tag view/NAME/vN per new version of a view")
    ] = True
    push: Annotated[bool, Field(description="send new data to the DVC remote after recording")] = (
        False
    )
    remote: Annotated[
        str | None, Field(description="DVC remote that push sends to; null: DVC's default")
    ] = None
    git_push: Annotated[
        bool, Field(description="send commits and tags to the git remote after recording")
    ] = False
    author: Annotated[
        str | None,
        Field(
            pattern=r"^[^<>\n]*[^<>\s] <[^<>\s]+>$",
            description="author of commits and tags, 'Name <mail>'; null: git's own",
        ),
    ] = None
    sign: Annotated[
        bool | None, Field(description="sign commits and tags; null: as git is configured")
    ] = None
