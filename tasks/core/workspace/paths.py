"""Where everything of a workspace lives; with `state_paths` the only module that spells a path."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tasks.core.workspace.instruction_name import BASE, check_annotator, check_name
from tasks.core.workspace.state_paths import StatePaths


@dataclass(frozen=True)
class Paths(StatePaths):
    """The files and folders below one root: those of the data here, all others as `StatePaths`."""

    @property
    def params(self) -> Path:
        """The settings of the workspace: params.yaml."""
        return self.root / "params.yaml"

    @property
    def pipeline(self) -> Path:
        """The stages, by which `dvc repro` makes everything from the inputs."""
        return self.root / "dvc.yaml"

    @property
    def lock(self) -> Path:
        """DVC's record of the content that each stage has read and written."""
        return self.root / "dvc.lock"

    @property
    def raw_note(self) -> Path:
        """DVC's own note of which documents there are."""
        return self.data / "raw.dvc"

    @cached_property
    def data(self) -> Path:
        """Everything but the settings and the stages."""
        return self.root / "data"

    @property
    def raw(self) -> Path:
        """The documents, as they came."""
        return self.data / "raw"

    @cached_property
    def labels(self) -> Path:
        """A label file, or a folder of them, an instruction: laid there by people or by a model."""
        return self.data / "labels"

    def label_file(self, name: str) -> Path:
        """The label file that `refract label` writes."""
        return self.labels / f"{check_name(name)}.jsonl"

    def posted_labels(self, name: str, annotator: str) -> Path:
        """The label file of one who labels in `refract explore`."""
        return self.labels / check_name(name) / f"explore-{check_annotator(annotator)}.jsonl"

    def label_card(self, name: str) -> Path:
        """How the labels of `refract label` were made, and what they cost."""
        return self.labels / f"{check_name(name)}.card.json"

    def classes(self, name: str) -> Path:
        """The names of the labels, whether any text has them or not, laid there by people."""
        return self.labels / f"{check_name(name)}.classes.txt"

    def taxonomy(self, name: str) -> Path:
        """The labels that a model has proposed, for a person to edit."""
        return self.labels / f"{check_name(name)}.taxonomy.txt"

    @cached_property
    def corpus(self) -> Path:
        """The folder of the corpus: all texts, by id."""
        return self.data / "corpus"

    @property
    def corpus_table(self) -> Path:
        """The corpus as a table: a row an id."""
        return self.corpus / "corpus.lance"

    @property
    def earlier_corpus(self) -> Path:
        """The corpus as earlier versions kept it, until the next ingest makes the table."""
        return self.corpus / "corpus.parquet"

    @property
    def known_sources(self) -> Path:
        """What is known of each source file of the corpus: a row a file."""
        return self.corpus / "sources.parquet"

    @cached_property
    def vectors(self) -> Path:
        """What the encoder made of the corpus."""
        return self.data / "vectors"

    @property
    def base_table(self) -> Path:
        """The table of base vectors: a row an id of the corpus."""
        return self.vectors / f"{BASE}.lance"

    def reduction(self, fingerprint: str) -> Path:
        """The map that features were made by."""
        return self.vectors / f"features-{fingerprint}.safetensors"

    @property
    def truncated(self) -> Path:
        """Which texts were longer than the encoder reads."""
        return self.vectors / "truncated.npy"

    @property
    def windowed(self) -> Path:
        """Which texts were read by several windows."""
        return self.vectors / "windowed.npy"

    @cached_property
    def transforms(self) -> Path:
        """What was fitted, a folder an instruction."""
        return self.data / "transforms"

    def transform(self, name: str) -> Path:
        """What was last fitted for an instruction; the view may still be made by an earlier one."""
        return self.transforms / check_name(name)

    def hold(self, name: str) -> Path:
        """Why a transform is kept although its labels ask for another: a rollback."""
        return self.transform(name) / "hold.json"

    @cached_property
    def views(self) -> Path:
        """The corpus as seen by each instruction, a table each."""
        return self.data / "views"

    def view_table(self, name: str) -> Path:
        """The table of one instruction's view: a row an id of the corpus."""
        return self.views / f"{check_name(name)}.lance"

    def kept_transform(self, name: str, fingerprint: str) -> Path:
        """The copy of a transform that stays beside the view it made."""
        return self.views / f"{check_name(name)}.transforms" / fingerprint

    @cached_property
    def metrics(self) -> Path:
        """What can be compared between versions."""
        return self.data / "metrics"

    @cached_property
    def metric_folder(self) -> Path:
        """The folder of scores, a JSON file a view."""
        return self.metrics / "scores"

    def metric(self, name: str) -> Path:
        """The scores of one view, before and after."""
        return self.metric_folder / f"{check_name(name)}.json"

    @property
    def score_table(self) -> Path:
        """All scores as one CSV, for plots."""
        return self.metrics / "scores.csv"

    @property
    def shift_table(self) -> Path:
        """The scores of all views as a table for bars, generic space above view."""
        return self.metrics / "shifts.csv"

    @property
    def corpus_figures(self) -> Path:
        """How many texts there are, and how many were rejected why."""
        return self.metrics / "corpus.json"

    @property
    def evaluations(self) -> Path:
        """Where evaluations may be kept; no verb makes them, so DVC stays out of them."""
        return self.metrics / "evaluations"

    @cached_property
    def quarantine(self) -> Path:
        """What was not taken in, and why."""
        return self.data / "quarantine"

    @property
    def rejected_documents(self) -> Path:
        """The rows of documents that were not taken in, and why."""
        return self.quarantine / "documents" / "rows.jsonl"

    def rejected_labels(self, name: str) -> Path:
        """The rows of a label file that were not used."""
        return self.quarantine / "labels" / f"{check_name(name)}.jsonl"

    def rejection(self, name: str) -> Path:
        """Why a whole label file was not used."""
        return self.quarantine / "labels" / f"{check_name(name)}.json"

    @property
    def reports(self) -> Path:
        """Pages to look at; made anew at any time, so neither git nor DVC keeps them."""
        return self.data / "reports"

    def report(self, name: str) -> Path:
        """The HTML page that reports on one view."""
        return self.reports / f"{check_name(name)}.html"

    def report_picture(self, name: str) -> Path:
        """The picture of the map on the page of one view."""
        return self.report(name).with_suffix(".png")

    @property
    def report_index(self) -> Path:
        """The page that leads to all others."""
        return self.reports / "_index.html"  # no view can have this name

    @property
    def dvc(self) -> Path:
        """DVC's own settings, and its cache."""
        return self.root / ".dvc"

    def in_dvc(self) -> bool:
        """Tell whether the root lies in a DVC repository."""
        top = self.root.resolve()
        return any((folder / ".dvc").is_dir() for folder in (top, *top.parents))

    def stamp(self, verb: str) -> Path:
        """The note that a finished verb leaves inside its own output folder."""
        folders = {"ingest": self.corpus, "embed": self.vectors}
        return folders[verb] / f"{verb}.json"

    def view_stamp(self, name: str) -> Path:
        """What the live view was made from, and how many rows it has."""
        return self.views / f"{check_name(name)}.json"

    def inside(self, path: Path) -> str:
        """Return `path` as it is written in messages and stamps: relative to the root if below."""
        try:
            return path.resolve().relative_to(self.root.resolve()).as_posix()
        except ValueError:
            return path.as_posix()
