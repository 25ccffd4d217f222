"""Where everything of a workspace lives: the only module that spells a path."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from tasks.core.text.discretion import may_be_secret, shown
from tasks.core.workspace.errors import InputError

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
BASE = "base"  # the generic space; no instruction may take its name


def check_name(name: str) -> str:
    """Return `name` if it may name an instruction, so that no path ever leaves the root."""
    if not NAME.fullmatch(name):
        raise InputError(
            f"instruction {shown(name)}: expected 1 to 63 of a-z, 0-9, '_' and '-', starting with a"
            f" letter or digit{_suggested(name)}; rename it"
        )
    if name == BASE:
        raise InputError(
            f"instruction {name!r}: this name is kept for the untransformed vectors; rename it"
        )
    return name


def _suggested(name: str) -> str:
    """Return the nearest name that may be used, if there is one: `Été 2` could be `ete_2`."""
    bare = unicodedata.normalize("NFKD", name.casefold()).encode("ascii", "ignore").decode()
    near = re.sub(r"[^a-z0-9-]+", "_", bare).strip("_-")[:63]
    fits = sum(map(str.isalnum, near)) * 2 > len(name) and NAME.fullmatch(near) and near != BASE
    return f", such as {near!r}" if fits and not may_be_secret(name) else ""


@dataclass(frozen=True)
class Paths:
    """The files and folders below one root."""

    root: Path

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

    @property
    def data(self) -> Path:
        """Everything but the settings and the stages."""
        return self.root / "data"

    @property
    def raw(self) -> Path:
        """The documents, as they came."""
        return self.data / "raw"

    @property
    def labels(self) -> Path:
        """A label file, or a folder of them, an instruction: laid there by people or by a model."""
        return self.data / "labels"

    def label_file(self, name: str) -> Path:
        """The label file that `refract label` writes."""
        return self.labels / f"{check_name(name)}.jsonl"

    def label_card(self, name: str) -> Path:
        """How the labels of `refract label` were made, and what they cost."""
        return self.labels / f"{check_name(name)}.card.json"

    def taxonomy(self, name: str) -> Path:
        """The labels that a model has proposed, for a person to edit."""
        return self.labels / f"{check_name(name)}.taxonomy.txt"

    @property
    def corpus(self) -> Path:
        """The folder of the corpus: all texts, by id."""
        return self.data / "corpus"

    @property
    def corpus_file(self) -> Path:
        """The corpus as one Parquet table: a row an id."""
        return self.corpus / "corpus.parquet"

    @property
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
    def transforms(self) -> Path:
        """What was fitted, a folder an instruction."""
        return self.data / "transforms"

    def transform(self, name: str) -> Path:
        """What was last fitted for an instruction; the view may still be made by an earlier one."""
        return self.transforms / check_name(name)

    def hold(self, name: str) -> Path:
        """Why a transform is kept although its labels ask for another: a rollback."""
        return self.transform(name) / "hold.json"

    @property
    def views(self) -> Path:
        """The corpus as seen by each instruction, a table each."""
        return self.data / "views"

    def view_table(self, name: str) -> Path:
        """The table of one instruction's view: a row an id of the corpus."""
        return self.views / f"{check_name(name)}.lance"

    def kept_transform(self, name: str, fingerprint: str) -> Path:
        """The copy of a transform that stays beside the view it made."""
        return self.views / f"{check_name(name)}.transforms" / fingerprint

    @property
    def metrics(self) -> Path:
        """What can be compared between versions."""
        return self.data / "metrics"

    @property
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

    @property
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
    def scripts(self) -> Path:
        """The charts' script, put together once."""
        return self.state / "scripts"

    @property
    def state(self) -> Path:
        """Machine-local and disposable: locks, checkpoints of shards, Prefect's own database."""
        return self.root / ".refract"

    def shards(self, verb: str) -> Path:
        """The plan of a verb at work and what each range has written, to go on after a kill."""
        return self.all_shards / verb

    def labelling(self, name: str) -> Path:
        """What the steps of a labelling found, to go on after a kill."""
        return self.state / "labelling" / check_name(name)

    @property
    def ledger(self) -> Path:
        """Every answer of a language model: to lose it costs no data, but its price again."""
        return self.state / "calls.sqlite"

    @property
    def writer_lock(self) -> Path:
        """The lock held by whoever changes the workspace: one at a time."""
        return self.state / "writer.lock"

    @property
    def serve_lock(self) -> Path:
        """Held as long as a `refract serve` runs."""
        return self.state / "serve.lock"

    @property
    def server_note(self) -> Path:
        """Where the Prefect server of a running `refract serve` answers, and its secret."""
        return self.state / "server.json"

    @property
    def server_log(self) -> Path:
        """What the Prefect server of `refract serve` printed."""
        return self.state / "server.log"

    @property
    def private_note(self) -> Path:
        """Where the Prefect server that single commands share answers, and its secret."""
        return self.state / "private.json"

    @property
    def private_log(self) -> Path:
        """What the Prefect server that single commands share printed."""
        return self.state / "private.log"

    @property
    def private_lock(self) -> Path:
        """The lock held by whoever starts the shared Prefect server: one at a time."""
        return self.state / "private.lock"

    @property
    def private_lease(self) -> Path:
        """The lock that commands hold while they need the shared server; then it ends itself."""
        return self.state / "private.lease"

    @property
    def trust_token(self) -> Path:
        """A secret by which a workspace that the user trusts is known again."""
        return self.state / "trust"

    @property
    def dvc(self) -> Path:
        """DVC's own settings, and its cache."""
        return self.root / ".dvc"

    @property
    def prefect_home(self) -> Path:
        """The database of the workspace's own Prefect servers."""
        return self.state / "prefect"

    def in_dvc(self) -> bool:
        """Tell whether the root lies in a DVC repository."""
        top = self.root.resolve()
        return any((folder / ".dvc").is_dir() for folder in (top, *top.parents))

    @property
    def recorded(self) -> Path:
        """The state that the last run left, to tell at once that nothing is stale."""
        return self.state / "recorded.json"

    @property
    def pushed(self) -> Path:
        """What was last sent to the remote, to start nothing when nothing is new."""
        return self.state / "pushed.json"

    @property
    def unfinished_checkout(self) -> Path:
        """There while a checkout is under way, and after one that was killed."""
        return self.state / "checkout.json"

    @property
    def exchange(self) -> Path:
        """There while files that belong together are exchanged, and after a kill in between."""
        return self.state / "exchange.json"

    @property
    def unfinished_rollback(self) -> Path:
        """Which version a rollback has brought back, until that is recorded."""
        return self.state / "rollback.json"

    @property
    def bringing(self) -> Path:
        """Which files are being brought into data/raw, and after a kill, were."""
        return self.state / "bringing.json"

    @property
    def past(self) -> Path:
        """Where earlier versions are laid out to be compared, and removed again."""
        return self.state / "past"

    @property
    def all_shards(self) -> Path:
        """The folder that holds the checkpoints of all verbs at work."""
        return self.state / "shards"

    @property
    def hashes(self) -> Path:
        """Content hashes of files, remembered by size and time of change."""
        return self.state / "hashes.json"

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
