"""From an instruction to a view by the labels of a real model: `benchmarks.labelling --endpoint`.

Texts are drawn as a user's are, the model is asked by Refract's own prompts, and what it says is
held against labels that it has not seen.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks import datasets
from benchmarks.machine import machine, one_line
from benchmarks.measure import say
from tasks.core.evaluation.metrics import Scores, score
from tasks.core.settings.params import Params, load_params, render_params
from tasks.core.workspace.errors import InputError
from tasks.core.workspace.label_manifests import LabelCard
from tasks.core.workspace.manifest import read_manifest
from tasks.core.workspace.paths import Paths

ASPECTS = {  # the set, its column, and what the model is asked
    "sentiment": (
        "airline_tweets",
        "sentiment",
        "the sentiment of the tweet towards the airline: negative, neutral or positive",
    ),
    "category": ("amazon_multidomain", "category", "the kind of product that is reviewed"),
    "category listed": (
        "amazon_multidomain",
        "category",
        "the kind of product that is reviewed: book, film, electronics or kitchenware",
    ),
    "event_type": (
        "crisislex_t26",
        "event_type",
        "the kind of disaster or emergency that the tweet is about",
    ),
}
MODEL, TRUTH = "model", "truth"  # the two views: by the model's labels, by the true ones
CHARACTERS = 600  # of a text that the model is shown: its processor seconds go by tokens


@dataclass(frozen=True)
class Answered:
    """What a model's labels are worth for one aspect.

    one_to_one: share of the texts asked about whose label stands for their true class, where each
    label stands for at most one class, and each class for one label. pure: the same of the texts
    that got a label, each label standing for the class that most of its texts have.
    """

    aspect: str
    model: str
    texts: int
    labels: int
    one_to_one: float
    pure: float
    taxonomy: list[str]
    classes: int
    calls: int
    tokens_in: int
    tokens_out: int
    seconds: float
    steps: list[dict[str, object]]
    scores: dict[str, Scores | None]


def run(asked: argparse.Namespace) -> None:
    """Label, fit and score each aspect; print the table, and write all figures by --json."""
    aspects: list[str] = asked.only
    datasets.require(asked.data, sorted({ASPECTS[aspect][0] for aspect in aspects}))
    found: list[Answered] = []
    with tempfile.TemporaryDirectory(prefix="refract-answers-") as folder:
        for aspect in aspects:
            found.append(_aspect(asked, aspect, Path(folder) / aspect))
            say(f"so far:\n{table(found)}")
            if asked.json:
                about = {"machine": machine(), "aspects": [asdict(each) for each in found]}
                asked.json.write_text(json.dumps(about, indent=2) + "\n", "utf-8")
    print(f"\n{one_line()}\n\n{table(found)}")


def _aspect(asked: argparse.Namespace, aspect: str, root: Path) -> Answered:
    from flows.init import make_workspace
    from flows.runtime.prefect_settings import settle

    make_workspace(root, git=False)
    _set(root, asked)
    settle(Paths(root))
    from flows.embed import embed
    from flows.fit import fit
    from flows.ingest import ingest
    from flows.label import label
    from flows.label_options import LabelOptions
    from flows.materialise import materialise

    name, column, instruction = ASPECTS[aspect]
    cut = datasets.split(asked.data, name, column, asked.labels)
    held = cut.held_out[: asked.held_out]
    datasets.put(root, "pool", cut.labelled)
    ingest(root)
    embed(root)
    say(f"{aspect}: {len(cut.labelled):,} texts for the model, {len(held):,} to score")
    begun = time.perf_counter()
    options = LabelOptions(instruction=instruction, sample=max(10, len(cut.labelled)))
    spent = label(root, MODEL, options).spent
    seconds = time.perf_counter() - begun
    assert spent is not None
    cut.labelled.select("id", "label").write_csv(Paths(root).labels / f"{TRUTH}.csv")
    datasets.put(root, "held", held)
    ingest(root)
    embed(root)
    rejected = fit(root).rejected
    for view, reason in rejected.items():
        say(f"  {view}: {reason}")
    materialise(root)
    scores = {view: _scored(root, view, held) for view in ("base", MODEL, TRUTH)}
    said = pl.read_ndjson(Paths(root).label_file(MODEL)).rename({"label": "said"})
    both = cut.labelled.select("id", "label").join(said, on="id", how="left")
    card = read_manifest(Paths(root).label_card(MODEL), LabelCard) or LabelCard()
    return Answered(
        aspect=aspect,
        model=asked.model,
        texts=len(both),
        labels=len(said),
        one_to_one=one_to_one(both["label"].to_list(), both["said"].to_list()),
        pure=pure(both["label"].to_list(), both["said"].to_list()),
        taxonomy=[f"{entry.label} {entry.texts}" for entry in card.taxonomy],
        classes=both["label"].n_unique(),
        calls=spent.calls,
        tokens_in=spent.tokens_in,
        tokens_out=spent.tokens_out,
        seconds=seconds,
        steps=list(card.steps),
        scores=scores,
    )


def _set(root: Path, asked: argparse.Namespace) -> None:
    about = {"base_url": asked.endpoint, "model": asked.model, "max_chars": CHARACTERS}
    patience = {"in_flight": 1, "timeout": 600}
    settings = load_params(Paths(root).params).label.__class__(**about, **patience)
    Paths(root).params.write_text(render_params(Params(label=settings)), "utf-8")


def _scored(root: Path, view: str, held: pl.DataFrame) -> Scores | None:
    """Return a view's scores by the true labels; None where the gate has kept it back."""
    from flows import Workspace

    try:
        rows = Workspace(root).view(view).frame().select("id", "vector")
    except InputError as error:
        say(f"  {view}: {error}")
        return None
    rows = held.join(rows, on="id", how="inner", maintain_order="left")
    y = rows["label"].cast(pl.Categorical).to_physical().to_numpy()
    return score(rows["vector"].to_numpy(), y, 0)


def one_to_one(true: Sequence[str], said: Sequence[str | None]) -> float:
    """Return the share of texts that are right if labels and classes are paired off, at best."""
    from scipy.optimize import linear_sum_assignment

    names, kinds = sorted({each for each in said if each is not None}), sorted(set(true))
    counts = np.zeros((len(names), len(kinds)))
    for label, kind in zip(said, true, strict=True):
        if label is not None:
            counts[names.index(label), kinds.index(kind)] += 1
    return float(counts[linear_sum_assignment(-counts)].sum() / len(true))


def pure(true: Sequence[str], said: Sequence[str | None]) -> float:
    """Return the share of labelled texts that are of the class that most of their label are of."""
    of: dict[str, Counter[str]] = {}
    for label, kind in zip(said, true, strict=True):
        if label is not None:
            of.setdefault(label, Counter())[kind] += 1
    most = sum(each.most_common(1)[0][1] for each in of.values())
    return most / sum(each.total() for each in of.values())


def table(found: Sequence[Answered]) -> str:
    """Return the figures as Markdown tables: the labels, and the views by them."""
    lines = [
        "| aspect | model | texts | labelled | agree | pure | labels found / classes | calls |"
        " tokens sent + answered | s |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
        *(_labels_of(each) for each in found),
        "",
        "| aspect | V / triplets / kNN@10: base vectors | by the model's labels | by true labels |",
        "|---|--:|--:|--:|",
        *(_views_of(each) for each in found),
        "",
        *(f"- {each.aspect}: {', '.join(each.taxonomy)}" for each in found),
    ]
    return "\n".join(lines)


def _labels_of(each: Answered) -> str:
    return (
        f"| {each.aspect} | {each.model} | {each.texts:,} | {each.labels:,}"
        f" | {100 * each.one_to_one:.0f} % | {100 * each.pure:.0f} %"
        f" | {len(each.taxonomy)} / {each.classes} | {each.calls:,}"
        f" | {each.tokens_in:,} + {each.tokens_out:,} | {each.seconds:,.0f} |"
    )


def _views_of(each: Answered) -> str:
    cells = []
    for view in ("base", MODEL, TRUTH):
        scores = each.scores[view]
        figures = () if scores is None else (scores.v_measure, scores.triplets, scores.knn)
        shown = " / ".join("–" if figure is None else f"{figure:.1f}" for figure in figures)
        cells.append(shown or "kept back")
    return f"| {each.aspect} | {' | '.join(cells)} |"
