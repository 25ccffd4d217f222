"""What a label file that Refract has made notes about itself, beside it in `data/labels`."""

from __future__ import annotations

from pydantic import Field

from tasks.core.workspace.manifest import Manifest, Part
from tasks.core.workspace.manifests import Counts


class TaxonomyEntry(Part):
    """A label by a model: what it is for, how many texts have it, and some of them."""

    label: str = ""
    description: str = ""
    others: list[str] = Field(default_factory=list)
    texts: int = 0
    examples: list[str] = Field(default_factory=list)


class LabelCard(Manifest):
    """The card of a label file that Refract has made.

    file: of its content; file_before: of what it replaced; spent: what all runs have cost.
    """

    instruction: str = ""
    wording: str | None = None
    source: str = ""
    encoder: str = ""
    seed: int | None = None
    settings: dict[str, object] = Field(default_factory=dict)
    steps: list[dict[str, object]] = Field(default_factory=list)
    seconds: int | float = 0
    finished: str = ""
    made_from: str = ""
    complete: bool = False
    model: str | None = None
    temperature: int | float | None = None
    host: str | None = None
    prompts: dict[str, str] = Field(default_factory=dict)
    spent: dict[str, object] = Field(default_factory=dict)
    taxonomy: list[TaxonomyEntry] = Field(default_factory=list)
    left_out: Counts = Field(default_factory=dict)
    file: str | None = None
    file_before: str | None = None
