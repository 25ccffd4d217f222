"""What `refract label` is asked for → the job of it, before Prefect is imported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flows.state.staleness import FRESH, Verdict, wording
from tasks.core.annotation.job import LabelJob
from tasks.core.annotation.output import is_made
from tasks.core.labels.taxonomy import read_taxonomy
from tasks.core.llm.client import Endpoint, find_endpoint
from tasks.core.settings.params import Params
from tasks.core.settings.table_sections import EmbedSettings
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.files import digest
from tasks.core.workspace.instruction_name import check_name
from tasks.core.workspace.label_manifests import LabelCard
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.manifests import EmbedStamp
from tasks.core.workspace.paths import Paths


@dataclass(frozen=True)
class LabelOptions:
    """What the command line says beyond params.yaml; None: as it is there.

    taxonomy: a file of labels, which are then not looked for. zero_shot: the same, without any
    model. review: stop when the labels are found.
    """

    instruction: str | None = None
    sample: int | None = None
    clusters: int | None = None
    taxonomy: Path | None = None
    zero_shot: Path | None = None
    review: bool = False


def make_job(paths: Paths, params: Params, name: str, options: LabelOptions) -> LabelJob:
    """Return the job; InputError where a setting, the endpoint or the vectors are missing."""
    given = {"sample": options.sample, "clusters": options.clusters}
    given = {key: value for key, value in given.items() if value is not None}
    settings = params.label.model_copy(update=given)
    base = read_manifest(paths.stamp("embed"), EmbedStamp)
    if base is None:
        raise InputError("data/vectors: no base vectors yet; expected some; run 'refract run'")
    file = options.taxonomy or options.zero_shot
    return LabelJob(
        name=check_name(name),
        instruction=_wording(paths, params, name, options),
        table=paths.base_table,
        base=base.digest,
        memory=paths.labelling(name),
        answer_cache=paths.answer_cache,
        prompts=None if settings.prompts is None else paths.root / settings.prompts,
        encoder=_encoder(params),
        endpoint=None if options.zero_shot is not None else endpoint(params),
        settings=settings,
        taxonomy=() if file is None else tuple(read_taxonomy(file)),
    )


def _wording(paths: Paths, params: Params, name: str, options: LabelOptions) -> str:
    if options.instruction and options.instruction.strip():
        return options.instruction.strip()
    known = wording(paths, params, name)
    if known != name or params.wording(name) or options.zero_shot is not None:
        return known
    raise InputError(
        f"instruction {name!r}: no wording; expected what the texts are to be seen by; give it as"
        f" --instruction '…', or under 'instructions: {name}:' in params.yaml"
    )


def _encoder(params: Params) -> EmbedSettings:
    """Return the encoder of vectors alone: notes and labels are only compared."""
    return params.embed.model_copy(update={"features": "last"})


def endpoint(params: Params) -> Endpoint:
    """Return who is asked; InputError where a setting is missing."""
    return find_endpoint(params.label)


def fingerprint(job: LabelJob) -> str:
    """Return a fingerprint of everything that decides on the label file."""
    weak = [job.settings.zero_shot] if job.weak else []
    return digest(job.made_from(), weak)


def label_verdict(paths: Paths, name: str, made_from: str) -> Verdict:
    """Compare with the card of the labels that there are."""
    card = read_manifest(paths.label_card(name), LabelCard)
    if card is None or not is_made(paths.label_file(name), card):
        return Verdict(True, "no labels by a model yet")
    if not card.complete:
        return Verdict(True, "some texts are without an answer")
    if not any(entry.texts for entry in card.taxonomy):
        return Verdict(True, "no text has a label")  # as earlier versions left it
    if card.made_from != made_from:
        return Verdict(True, "instruction, settings or texts changed")
    return FRESH
