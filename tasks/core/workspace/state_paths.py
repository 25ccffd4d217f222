"""Where a workspace keeps what is of this machine alone: locks, notes, checkpoints and logs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tasks.core.workspace.instruction_name import BASE, check_annotator, check_name


@dataclass(frozen=True)
class StatePaths:
    """The files and folders below `.refract` of one root, which neither git nor DVC keeps."""

    root: Path

    @cached_property
    def state(self) -> Path:
        """Machine-local and disposable: locks, checkpoints of shards, Prefect's own database."""
        return self.root / ".refract"

    @property
    def scripts(self) -> Path:
        """The charts' script, put together once."""
        return self.state / "scripts"

    @property
    def all_shards(self) -> Path:
        """The folder that holds the checkpoints of all verbs at work."""
        return self.state / "shards"

    def shards(self, verb: str) -> Path:
        """The plan of a verb at work and what each range has written, to go on after a kill."""
        return self.all_shards / verb

    def labelling(self, name: str) -> Path:
        """What the steps of a labelling found, to go on after a kill."""
        return self.state / "labelling" / check_name(name)

    def spoken(self, name: str) -> Path:
        """What the encoder made of the names of an instruction's labels, to ask it but once."""
        return self.state / "names" / f"{check_name(name)}.safetensors"

    def doubts(self, name: str) -> Path:
        """The doubts that were found of an instruction's labels, to ask no fit twice."""
        return self.state / "doubts" / f"{check_name(name)}.json"

    def check(self, name: str) -> Path:
        """How a view reads held-out texts, to ask no fit twice."""
        return self.state / "checks" / f"{check_name(name)}.json"

    def maps(self, name: str) -> Path:
        """Where every row of a view lies on a plane, a file a version of it; also of the base."""
        return self.state / "maps" / (name if name == BASE else check_name(name))

    def posted(self, name: str, annotator: str) -> Path:
        """What was answered to the labels that an annotator has posted."""
        return self.state / "posted" / check_name(name) / f"{check_annotator(annotator)}.json"

    @property
    def posting_lock(self) -> Path:
        """The lock held while posted labels are written: one request at a time."""
        return self.state / "posting.lock"

    def under_way(self, verb: str) -> Path:
        """Which instructions a verb makes anew just now, or has made last."""
        return self.state / "under_way" / f"{verb}.json"

    @property
    def answer_cache(self) -> Path:
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
    def own_name(self) -> Path:
        """A random name, by which browsers know this workspace from others."""
        return self.state / "name"

    @property
    def explore_note(self) -> Path:
        """Where a running `refract explore` answers, and its secret."""
        return self.state / "explore.json"

    @property
    def versions_due(self) -> Path:
        """Views that `refract explore` has had fitted, and not yet recorded as versions."""
        return self.state / "versions_due.json"

    @property
    def explore_lock(self) -> Path:
        """The lock held by a `refract explore` until it answers: one at a time."""
        return self.state / "explore.lock"

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
    def prefect_home(self) -> Path:
        """The database of the workspace's own Prefect servers."""
        return self.state / "prefect"

    @property
    def recorded(self) -> Path:
        """The state that the last run left, to tell at once that nothing is stale."""
        return self.state / "recorded.json"

    @property
    def pushed(self) -> Path:
        """What was last sent to the remote, to start nothing when nothing is new."""
        return self.state / "pushed.json"

    @property
    def held(self) -> Path:
        """Which pointers' versions are held by tags in the store, to ask it for nothing twice."""
        return self.state / "held.json"

    @property
    def snapshot(self) -> Path:
        """What readers elsewhere see of a workspace in a store: the file that names all others."""
        return self.state / "snapshot.json"

    @property
    def published(self) -> Path:
        """What the store holds for readers already, to send nothing twice."""
        return self.state / "published.json"

    @property
    def shown_params(self) -> Path:
        """The settings that readers elsewhere need, and no others."""
        return self.state / "readers.yaml"

    @property
    def unfinished_checkout(self) -> Path:
        """There while a checkout is under way, and after one that was killed."""
        return self.state / "checkout.json"

    @property
    def exchange(self) -> Path:
        """There while files that belong together are exchanged, and after a kill in between."""
        return self.state / "exchange.json"

    @cached_property
    def next(self) -> Path:
        """What the next encoder makes of the workspace, until all of it is there."""
        return self.state / "next"

    @property
    def next_note(self) -> Path:
        """How far the next encoder has come."""
        return self.next / "next.json"

    @property
    def former(self) -> Path:
        """What the encoder before had made, while it is removed after a turn."""
        return self.state / "former"

    @property
    def migration_lock(self) -> Path:
        """The lock held by whoever brings the next encoder: one at a time."""
        return self.state / "migration.lock"

    @property
    def turning(self) -> Path:
        """There while the workspace turns over to the next encoder, and after a kill in between."""
        return self.state / "turning.json"

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
    def comparing_lock(self) -> Path:
        """Held by the one who has laid earlier versions out there; who writes goes on."""
        return self.state / "past.lock"

    @property
    def hashes(self) -> Path:
        """Content hashes of files, remembered by size and time of change."""
        return self.state / "hashes.json"
