"""The published transform: an encoder-decoder trained to part labels and to keep the text.

GSTransform, arXiv 2505.24754, section 4.2; published settings as in its repository.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tasks.core.numerics.rows import unit_rows
from tasks.core.numerics.split import stratified_split
from tasks.core.numerics.tensors import as_array, as_tensor
from tasks.core.settings.calibrated import CalibratedGsTransform
from tasks.core.settings.fit_section import GsTransformSettings
from tasks.core.transforms.base import Prediction, Sample, Transform
from tasks.core.transforms.centroids import HELD_OUT, Centroids, fit_centroids, restore_centroids

CHUNK = 16_384
VALIDATION_CHUNK = 1_024


class GsTransform(Transform):
    """A fitted encoder z = f(x); the decoder is not kept."""

    method = "gstransform"
    Settings = GsTransformSettings
    Calibrated = CalibratedGsTransform

    def __init__(
        self,
        weights: dict[str, Tensor],
        centroids: Centroids,
        labels: tuple[str, ...],
        used: GsTransformSettings,
    ) -> None:
        width, size = int(weights["weight_0"].shape[1]), int(centroids.rows.shape[1])
        super().__init__(labels, dimensions=width, size=size)
        self._weights, self._centroids, self._used = weights, centroids, used

    @classmethod
    def fit(cls, sample: Sample, settings: GsTransformSettings, seed: int) -> Self:
        """Train on 80 % of the labels, stop by the loss on the others, and read by centroids.

        The same seed gives the same weights on the same machine and number of threads.
        """
        split, k = stratified_split(sample.y, HELD_OUT, seed), len(sample.labels)
        weights = train(as_tensor(sample.x), as_tensor(sample.y), split, settings, seed)
        z = _encode(weights, sample.x)
        return cls(weights, fit_centroids(z, sample.y, k, split), sample.labels, settings)

    def read(
        self,
        x: NDArray[Any],
        features: NDArray[Any] | None = None,
        texts: Sequence[str] | None = None,
    ) -> Prediction:
        """Encode by the trained network, and read label and confidence off the class means."""
        return self._centroids.read(_encode(self._weights, x))

    def tensors(self) -> dict[str, NDArray[Any]]:
        """Return the encoder's layers, and the centroids."""
        held = {name: as_array(tensor) for name, tensor in self._weights.items()}
        return {**held, "centroids": self._centroids.rows}

    def settings(self) -> CalibratedGsTransform:
        """Return what was asked for, and the sharpness of the centroids."""
        asked = self._used.model_dump()
        return CalibratedGsTransform(**asked, sharpness=self._centroids.sharpness)

    @classmethod
    def restore(
        cls,
        tensors: dict[str, NDArray[Any]],
        labels: tuple[str, ...],
        settings: CalibratedGsTransform,
        features: int = 0,
    ) -> Self:
        """Rebuild the encoder; ValueError where there is not one centroid a label."""
        held = dict(tensors)
        centroids = restore_centroids(held.pop("centroids"), labels, settings)
        weights = {name: as_tensor(array) for name, array in held.items()}
        asked = GsTransformSettings(**settings.model_dump(exclude={"sharpness"}))
        return cls(weights, centroids, labels, asked)


def train(
    x: Tensor,
    y: Tensor,
    split: tuple[NDArray[np.int64], NDArray[np.int64]],
    used: GsTransformSettings,
    seed: int,
) -> dict[str, Tensor]:
    """Return the encoder's weights of the epoch with the least validation loss.

    x: (n, d) float32 unit rows; y: (n,). Without held-out texts the training loss decides. First
    weights and order are drawn on the processor, the same ones for every device.
    """
    generator = torch.Generator().manual_seed(seed)
    learner, held = (
        torch.from_numpy(split[0]),
        torch.from_numpy(split[1] if len(split[1]) else split[0]),
    )
    held = held[_shuffled(len(held), generator)]
    with torch.device("cpu"):
        encoder, decoder = networks(x.shape[1], used, generator)
    encoder, decoder = encoder.to(x.device), decoder.to(x.device)
    optimiser = torch.optim.Adam(
        [*encoder.parameters(), *decoder.parameters()], lr=used.learning_rate
    )
    best, waited, kept = float("inf"), 0, _copy(encoder)
    for _ in range(used.epochs):
        for batch in _batches(learner, used.batch_size, generator):
            optimiser.zero_grad(set_to_none=True)
            loss(encoder, decoder, x[batch], y[batch], used).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        now = validate(encoder, decoder, x[held], y[held], used)
        if now < best:
            best, waited, kept = now, 0, _copy(encoder)
        elif (waited := waited + 1) >= used.patience:
            break
    return kept


def networks(
    d: int, used: GsTransformSettings, generator: torch.Generator
) -> tuple[nn.Module, nn.Module]:
    """Build f = Linear(d, hidden), ReLU, Linear(hidden, m) and g = Linear(m, d).

    Weights and biases are uniform in ±1/√fan-in, PyTorch's default, from our own generator.
    """
    first = [nn.Linear(d, used.hidden), nn.ReLU()] if used.hidden else []
    encoder = nn.Sequential(*first, nn.Linear(used.hidden or d, used.dimensions))
    decoder = nn.Linear(used.dimensions, d)
    for layer in [*encoder, decoder]:
        if isinstance(layer, nn.Linear):
            bound = layer.in_features**-0.5
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return encoder, decoder


def loss(
    encoder: nn.Module, decoder: nn.Module, x: Tensor, y: Tensor, used: GsTransformSettings
) -> Tensor:
    """Return L = β₁ · contrastive + β₂ · mean squared error of g(f(x))."""
    z = encoder(x)
    error: Tensor = ((decoder(z) - x) ** 2).mean()
    return used.contrastive * contrastive(z, y, used.margin) + used.reconstruction * error


def contrastive(z: Tensor, y: Tensor, margin: float) -> Tensor:
    """Return the mean over ordered pairs i ≠ j of ‖z_i - z_j‖² or max(0, m - ‖z_i - z_j‖)².

    The first where the labels agree, the second where they do not. Self-pairs, which are
    always 0, are left out of the mean. z: (b, m); y: (b,).
    """
    b = len(z)
    norms = (z**2).sum(1)
    # The floor keeps the root's gradient finite where two texts coincide.
    squared = (norms[:, None] + norms[None, :] - 2 * z @ z.T).clamp_min(1e-12)
    apart = (margin - squared.sqrt()).clamp_min(0) ** 2
    each = torch.where(y[:, None] == y[None, :], squared, apart)
    others = ~torch.eye(b, dtype=torch.bool, device=z.device)
    return (each * others).sum() / max(b * (b - 1), 1)


@torch.no_grad()
def validate(
    encoder: nn.Module, decoder: nn.Module, x: Tensor, y: Tensor, used: GsTransformSettings
) -> float:
    """Return the mean loss over chunks of the validation texts, whose order is fixed."""
    total = 0.0
    for start in range(0, len(x), VALIDATION_CHUNK):
        part = slice(start, start + VALIDATION_CHUNK)
        total += float(loss(encoder, decoder, x[part], y[part], used)) * len(x[part])
    return total / len(x)


def _batches(rows: Tensor, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Shuffle and cut; a last batch of one text, which has no pair, is left out."""
    shuffled = rows[_shuffled(len(rows), generator)]
    return (batch for batch in torch.split(shuffled, size) if len(batch) > 1)


def _shuffled(n: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(n, generator=generator, device="cpu")


def _copy(encoder: nn.Module) -> dict[str, Tensor]:
    layers = [layer for layer in encoder.modules() if isinstance(layer, nn.Linear)]
    kept = {}
    for i, layer in enumerate(layers):
        kept[f"weight_{i}"] = layer.weight.detach().clone()
        kept[f"bias_{i}"] = layer.bias.detach().clone()
    return kept


def _encode(weights: dict[str, Tensor], x: NDArray[Any]) -> NDArray[np.float32]:
    parts = [_forward(weights, unit_rows(x[i : i + CHUNK])) for i in range(0, len(x), CHUNK)]
    m = weights[f"weight_{len(weights) // 2 - 1}"].shape[0]
    return np.concatenate(parts) if parts else np.empty((0, m), np.float32)


@torch.no_grad()
def _forward(weights: dict[str, Tensor], x: NDArray[np.float32]) -> NDArray[np.float32]:
    z = as_tensor(x, weights["bias_0"])
    for i in range(len(weights) // 2):
        z = z.relu() if i else z
        z = torch.addmm(weights[f"bias_{i}"], z, weights[f"weight_{i}"].T)
    return as_array(z)
