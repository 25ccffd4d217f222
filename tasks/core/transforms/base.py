"""What every transform shares: the contract, the fit by name, and the two files on disk."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from tasks.core.numerics.erasure import Erasure
from tasks.core.settings.calibrated import CalibratedSettings
from tasks.core.settings.methods import METHODS, READS_NAMES
from tasks.core.settings.section import Section
from tasks.core.transforms import card as artifact
from tasks.core.transforms.card import read_card as read_card
from tasks.core.transforms.erasing import named, noted, parted
from tasks.core.transforms.sample import Corpus, Texts, make_corpus, make_sample
from tasks.core.transforms.sample import Sample as Sample
from tasks.core.transforms.sample import features_for as features_for
from tasks.core.transforms.sample import texts_for as texts_for
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import write_bytes
from tasks.core.workspace.manifests import Card

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Prediction:
    """What a transform says of n texts.

    vectors: (n, m) float32, compared by cosine. label: (n,) int32, the likeliest class as an
    index into `labels`. confidence: (n,) float32, its probability, in [0, 1]. novelty: (n,)
    float32 in [0, 1], how little the text looks like any labelled class.
    """

    vectors: NDArray[np.float32]
    label: NDArray[np.int32]
    confidence: NDArray[np.float32]
    novelty: NDArray[np.float32]


class NoSettings(Section):
    """The settings of a method that has none."""


class Transform(ABC):
    """A fitted map from d base dimensions, and maybe f features, to m view dimensions.

    What a new method brings is what is abstract here, in a module of its own, and a line in
    `settings/methods.py`: `method`, its key there; `Settings`, what it may be asked for, validated
    before `fit` is called; `fit`, `read`; and `tensors`, `settings` and `restore`, by which it is
    kept. `Calibrated` is the record that `settings` returns, and that `restore` is given.
    `begins_with_posterior`: whether the first numbers of a vector are, see `embed_posterior`.
    """

    method: ClassVar[str]
    Settings: ClassVar[type[Section]] = NoSettings
    Calibrated: ClassVar[type[CalibratedSettings]] = CalibratedSettings
    begins_with_posterior: ClassVar[bool] = False

    def __init__(
        self, labels: tuple[str, ...], *, dimensions: int, size: int, features: int = 0
    ) -> None:
        """labels: the class names, sorted; `Prediction.label` indexes them.

        dimensions: d, of the base vectors that it reads. size: m, of the vectors that it gives.
        features: f, how many features it reads beside; 0: base vectors alone. `reads_text`: whether
        it reads the texts, too.
        """
        self.labels, self.dimensions, self.size = labels, dimensions, size
        self.features = features
        self.reads_text = False
        self.erasure: Erasure | None = None

    @classmethod
    @abstractmethod
    def fit(cls, sample: Sample, settings: Any, seed: int) -> Self:
        """Fit to labelled texts; settings: a `Settings`; seed: the start of all random numbers."""

    @classmethod
    def by_names(
        cls, labels: tuple[str, ...], names: Tensor, corpus: Corpus, settings: Any
    ) -> Self:
        """Fit to what labels are called, without any labelled text; InputError if it cannot.

        names: (k, t, d), of `labels`, which are sorted, each said in t ways.
        """
        raise InputError(
            f"method {cls.method!r} learns from labelled texts alone; expected fit.method:"
            f" {' or '.join(READS_NAMES)} for names of labels without any; change it in params.yaml"
        )

    @abstractmethod
    def read(
        self,
        x: NDArray[Any],
        features: NDArray[Any] | None = None,
        texts: Sequence[str] | None = None,
    ) -> Prediction:
        """Map base vectors, (n, d) of any float type, rows of any length, and features (n, f).

        texts: what they are of, n strings. Raises ValueError where it reads features, or texts,
        and there are none.
        """

    def apply(
        self,
        x: NDArray[Any],
        features: NDArray[Any] | None = None,
        texts: Sequence[str] | None = None,
    ) -> Prediction:
        """Read texts, and erase from their vectors what the view is to be without."""
        found = self.read(x, features, texts)
        if self.erasure is None:
            return found
        return replace(found, vectors=self.erasure.apply(found.vectors))

    def without(self, erasure: Erasure) -> Self:
        """Return this with vectors that are erased last; ValueError where they are of another size.

        Labels, confidence and novelty stay as they are.
        """
        if erasure.start + erasure.of != self.size:
            raise ValueError(f"erasure of {erasure.start + erasure.of} numbers, not {self.size}")
        made = copy(self)
        made.erasure = erasure
        return made

    @abstractmethod
    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the float32 arrays that `restore` needs, by name."""

    @property
    def called(self) -> str:
        """The method, and which one it chose, if it chooses any."""
        return self.method

    @abstractmethod
    def settings(self) -> CalibratedSettings:
        """Return the settings with every calibrated value filled in, a `Calibrated`."""

    @classmethod
    @abstractmethod
    def restore(
        cls,
        tensors: dict[str, NDArray[Any]],
        labels: tuple[str, ...],
        settings: Any,
        features: int = 0,
    ) -> Self:
        """Rebuild what `tensors` and `settings` gave; ValueError where they do not fit.

        settings: a `Calibrated`. features: how many the transform read, 0 for none.
        """


def fit(
    method: str,
    x: NDArray[Any],
    y: NDArray[Any],
    labels: tuple[str, ...],
    background: NDArray[Any],
    settings: Mapping[str, object],
    seed: int,
    features: NDArray[Any] | None = None,
    *,
    beside: NDArray[Any] | None = None,
    names: NDArray[Any] | None = None,
    texts: Sequence[str] | None = None,
) -> Transform:
    """Fit a transform by the name of its method.

    x: (n, d) base vectors; y: (n,) indices into labels; background: (b, d), a sample of the
    corpus's base vectors, may be x; features: (n, f) of the same texts, if there are any; beside:
    (b, f), those of the background. names: (k, t, d), base vectors of the labels' names, each said
    in t ways. texts: n strings, the labelled texts, if words are to be read. The order of rows
    and of classes does not matter: the labels of the result are sorted, and hold only classes that
    have a text.
    Raises InputError for an unknown method or setting, ValueError for arrays that do not fit.
    """
    from tasks.core.numerics.tensors import at_work

    kind = _class(method)
    asked = _validated(kind, settings)
    sample = make_sample(Texts(x, features), y, labels, Texts(background, beside), names, texts)
    with at_work():
        return kind.fit(sample, asked, seed)


def fit_by_names(
    method: str,
    labels: Sequence[str],
    names: NDArray[Any],
    background: NDArray[Any],
    settings: Mapping[str, object],
    *,
    beside: NDArray[Any] | None = None,
) -> Transform:
    """Fit a transform without labelled texts, by the name of its method; in any order.

    names: (k, t, d), of `labels`, each said in t ways; background: (b, d), beside: (b, f), as in
    `fit`. InputError for a method that needs texts, an unknown setting, names that are read alike.
    """
    from tasks.core.numerics.tensors import as_tensor, at_work

    kind = _class(method)
    asked = _validated(kind, settings)
    order = sorted(range(len(labels)), key=labels.__getitem__)
    said, corpus = tuple(labels[c] for c in order), make_corpus(Texts(background, beside))
    with at_work():
        return kind.by_names(said, as_tensor(names[order]), corpus, asked)


def contents(transform: Transform, card: Card) -> dict[str, bytes]:
    """Return what `transform.safetensors` and `transform.json` hold, by name.

    card: the caller's own entries; those of the transform win where the names are the same.
    """
    from safetensors.numpy import save as serialise

    erasure = transform.erasure
    found = transform.tensors() | ({} if erasure is None else named(erasure))
    arrays = {name: np.ascontiguousarray(a, np.float32) for name, a in found.items()}
    whole = card.changed(
        method=transform.method,
        labels=list(transform.labels),
        dimensions=transform.dimensions,
        features=transform.features,
        size=transform.size,
        settings=transform.settings().to_json(),
        **({} if erasure is None else {"erased": noted(erasure)}),
    )
    return artifact.sealed(serialise(arrays), whole)


def save(folder: Path, transform: Transform, card: Card) -> None:
    """Write both files, the same bytes for the same input.

    The card comes last: a kill in between leaves an old hash beside new tensors, which `load`
    refuses.
    """
    for name, content in contents(transform, card).items():
        write_bytes(folder / name, content)


def load(folder: Path) -> tuple[Transform, Card]:
    """Read a transform and its card; raise InputError where a file is missing or corrupted."""
    from safetensors.numpy import load as deserialise

    from tasks.core.numerics.tensors import at_work

    payload, card = artifact.read_artifact(folder)
    try:
        kind = _class(card.method)
        tensors, erasure = parted(deserialise(payload), card)
        with at_work():
            restored = kind.restore(
                tensors, tuple(card.labels), kind.Calibrated.of(card.settings), card.features
            )
        restored = restored if erasure is None else restored.without(erasure)
    except (InputError, KeyError, TypeError, ValueError) as error:
        raise artifact.refuse(folder, f"an unusable transform ({error})", "a whole one") from error
    shape = (restored.dimensions, restored.size)
    if shape != (card.dimensions, card.size):
        expected = f"{card.dimensions} -> {card.size} as the card says"
        raise artifact.refuse(folder, f"tensors for {shape[0]} -> {shape[1]} dimensions", expected)
    return restored, card


def _class(method: str) -> type[Transform]:
    if method not in METHODS:
        raise InputError(
            f"method {method!r} is unknown, expected one of {', '.join(sorted(METHODS))}; "
            f"change fit.method in params.yaml"
        )
    place = METHODS[method]
    kind: type[Transform] = resolve_name(f"{__package__}{place}" if place[0] == "." else place)
    return kind


def _validated(kind: type[Transform], settings: Mapping[str, object]) -> Section:
    try:
        return kind.Settings.model_validate(dict(settings))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        known = ", ".join(kind.Settings.model_fields) or "none"
        raise InputError(
            f"settings of {kind.method}: {key}: {first['msg']}; expected some of: {known}; correct"
            " them in params.yaml"
        ) from error
