"""The settings of a fitted transform, every calibrated value filled in, as its card holds them.

A record a method, beside those of `fit_section`, which say what it may be asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class CalibratedSettings(BaseModel):
    """What a method without settings notes of itself: nothing. Closed to keys it does not know."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), populate_by_name=True
    )

    @classmethod
    def of(cls, found: object) -> Self:
        """Return what a JSON value holds; ValueError, in one line, where it is something else."""
        try:
            return cls.model_validate(found)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            key = ".".join(map(str, ("settings", *first["loc"])))
            raise ValueError(f"{key}: {first['msg'].lower()}") from error

    def to_json(self) -> dict[str, object]:
        """Return this as the JSON object of a card: what was given, no key more, none less."""
        return self.model_dump(by_alias=True, exclude_unset=True)


class CalibratedCentroids(CalibratedSettings):
    """Settings of `identity` and `fda`: the inverse temperature of cosines with centroids."""

    sharpness: float


class CalibratedGsTransform(CalibratedCentroids):
    """Settings of `gstransform`: those that it was asked for, and the centroids'."""

    hidden: int
    dimensions: int
    margin: float
    contrastive: float
    reconstruction: float
    learning_rate: float
    batch_size: int
    epochs: int
    patience: int


class CalibratedDiscriminant(CalibratedSettings):
    """Settings of `discriminant`.

    temperature: T, above 1 since a Gaussian in many dimensions is overconfident. novelty: π,
    the prior of a class nobody has labelled. floor: the least weight g of the residual.
    residual: its dimensions, 0 to d. shrinkage: λ.
    """

    temperature: float
    novelty: float
    floor: float
    residual: int
    shrinkage: float


class CalibratedKernel(CalibratedSettings):
    """γ over the median squared distance, λ, the sharpness t, and the discriminant's share w."""

    width: float
    ridge: float
    sharpness: float
    pool: float
    discriminant: CalibratedDiscriminant = Field(alias="gate")


class KernelExpert(CalibratedSettings):
    """γ and t of the kernel of a pool."""

    width: float
    sharpness: float


class CorpusExpert(CalibratedSettings):
    """The discriminant of a pool that has read the corpus: T, and ω, what a text of it counts."""

    temperature: float
    share: float


class WordsExpert(CalibratedSettings):
    """t of the words of a pool."""

    sharpness: float


@dataclass(frozen=True)
class Worth:
    """An expert of a pool: its weight, its log-loss alone, and what the pool loses without it.

    Both in nats a text left out; alone: at the weight that is best for it.
    """

    expert: str
    weight: float
    alone: float
    saves: float


class CalibratedPool(CalibratedSettings):
    """Settings of a pool: the weight of each expert that is asked, and what each has earned.

    log_loss: in nats a text left out, None where no text has a label; doubt: c, see
    `embed_posterior`; kernel, corpus, words: None where they are not asked. drawn_by_chance: the
    share of the labels that is taken for that, None on cards that do not say.
    """

    weights: dict[str, float]
    log_loss: float | None
    doubt: float
    worth: list[Worth]
    discriminant: CalibratedDiscriminant = Field(alias="gate")
    kernel: KernelExpert | None = None
    corpus: CorpusExpert | None = None
    words: WordsExpert | None = None
    drawn_by_chance: float | None = None


@dataclass(frozen=True)
class Tried:
    """A candidate of `auto`, and its log-loss in nats; None where no text could be left out."""

    method: str
    log_loss: float | None


class CalibratedAuto(CalibratedSettings):
    """Settings of `auto`: which candidate it chose, out of which, and the settings of that."""

    chosen: str
    tried: list[Tried]
    settings: CalibratedPool | CalibratedKernel | CalibratedDiscriminant
