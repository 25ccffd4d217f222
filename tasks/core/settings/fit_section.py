"""The section `fit` of params.yaml: the methods, and what each can be told."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tasks.core.settings.methods import Method
from tasks.core.settings.section import Section


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
    ] = 128


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
        Field(
            ge=0,
            lt=1,
            description="share of the discriminant, by method kernel alone; null: choose",
        ),
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


class FitSettings(Section):
    """How a label file becomes a transform."""

    method: Annotated[
        Method,
        Field(description="kind of transform; auto: several experts, each as it has earned"),
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
        Field(description="publish no view that has learnt nothing, or loses more than it gains"),
    ] = True
    discriminant: DiscriminantSettings = DiscriminantSettings()
    kernel: KernelSettings = KernelSettings()
    gstransform: GsTransformSettings = GsTransformSettings()

    def method_settings(self) -> dict[str, object]:
        """Return the settings that the method reads; `auto` those of its candidates by name.

        A kernel has a discriminant behind it, with the settings of that.
        """
        sections = self.model_dump(mode="json")
        if self.method == "auto":
            return {name: sections[name] for name in ("discriminant", "kernel")}
        if self.method == "kernel":
            return {**sections["kernel"], "gate": sections["discriminant"]}
        return dict(sections.get(self.method, {}))
