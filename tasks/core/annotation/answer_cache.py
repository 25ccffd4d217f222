"""The cache of a language model's answers, by question: none is paid for twice.

It is an SQLite file with a row a call, so that it tells as well what each instruction has cost.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.core.llm.answers import Answer
from tasks.core.llm.thinking import spoken
from tasks.core.workspace.errors import InputError

ANSWERED = "answered"
PATIENCE = 60  # seconds to wait for another process
UNUSABLE = "unusable"
SENT = "sent"  # a call that no outcome is known of: the process ended first
_TABLE = """
create table if not exists calls (
  id integer primary key, instruction text not null, step text not null, key text not null,
  outcome text not null, answer text, tokens_in integer not null default 0,
  tokens_out integer not null default 0, estimated integer not null default 0,
  usd real not null default 0, at text not null default current_timestamp
);
create index if not exists answers on calls (key) where outcome = 'answered';
create index if not exists owners on calls (instruction);
"""


@dataclass(frozen=True)
class Spent:
    """What calls have cost; `outcomes` counts them by what became of each."""

    calls: int
    tokens_in: int
    tokens_out: int
    usd: float
    estimated: int
    outcomes: dict[str, int]


class AnswerCache:
    """The answers that any instruction has been given, and the calls made for one of them.

    Each call is written down before it is made, so that a kill at any moment hides none.
    """

    def __init__(self, connection: sqlite3.Connection, instruction: str, given: str) -> None:
        self._calls, self._instruction, self._given = connection, instruction, given

    def answers(self, keys: Sequence[str]) -> dict[str, Answer]:
        """Return what is known already of the questions with these keys, whoever asked them.

        An answer that says nothing but thoughts is none, as earlier versions kept them. Nor did
        these note by what it was given: where nothing is noted, it is taken for one by the same.
        """
        rows = self._calls.execute(
            "select key, answer, tokens_in, tokens_out, estimated from calls"
            " where outcome = 'answered' and coalesce(given, ?1) = ?1"
            " and key in (select value from json_each(?2)) order by id",
            (self._given, json.dumps(list(keys))),
        )
        answers = ((key, Answer(spoken(text or ""), i, o, bool(e))) for key, text, i, o, e in rows)
        return {key: answer for key, answer in answers if answer.text}

    def doubt(self, keys: Sequence[str]) -> None:
        """Mark answers as useless, so that questions with these `keys` are asked again."""
        self._calls.execute(
            "update calls set outcome = ?3 where outcome = 'answered' and coalesce(given, ?1) = ?1"
            " and key in (select value from json_each(?2))",
            (self._given, json.dumps(list(keys)), UNUSABLE),
        )

    def begin(self, step: str, key: str) -> int:
        """Note a call before it is made; return its number."""
        row = self._calls.execute(
            "insert into calls (instruction, step, key, given, outcome) values (?, ?, ?, ?, ?)",
            (self._instruction, step, key, self._given, SENT),
        )
        return int(row.lastrowid or 0)

    def answered(self, call: int, answer: Answer, usd: float) -> None:
        """Note a call's answer, its tokens and its price in dollars."""
        self._note(call, ANSWERED, answer.text, answer, usd)

    def failed(self, call: int, kind: str, billed: Answer | None = None, usd: float = 0) -> None:
        """Note why a call failed, and the tokens and dollars that it cost all the same."""
        self._note(call, kind, None, billed or Answer("", 0, 0), usd)

    def _note(self, call: int, outcome: str, text: str | None, answer: Answer, usd: float) -> None:
        self._calls.execute(
            "update calls set outcome = ?, answer = ?, tokens_in = ?, tokens_out = ?,"
            " estimated = ?, usd = ? where id = ?",
            (
                *(outcome, text, answer.tokens_in, answer.tokens_out),
                *(int(answer.estimated), usd, call),
            ),
        )

    def spent(self) -> Spent:
        """Return what the instruction has cost so far, in all its runs."""
        calls, tokens_in, tokens_out, usd, estimated = self._calls.execute(
            "select count(*), coalesce(sum(tokens_in), 0), coalesce(sum(tokens_out), 0),"
            " coalesce(sum(usd), 0), coalesce(sum(estimated), 0) from calls where instruction = ?",
            (self._instruction,),
        ).fetchone()
        outcomes = self._calls.execute(
            "select outcome, count(*) from calls where instruction = ? group by 1 order by 1",
            (self._instruction,),
        )
        return Spent(calls, tokens_in, tokens_out, usd, estimated, dict(outcomes))


@contextmanager
def open_answer_cache(path: Path, instruction: str, given: str = "") -> Iterator[AnswerCache]:
    """Open the cache at `path`, which is made if it is not there.

    given: by what answers are given beside model and prompt; those that were given by anything else
    are not found.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with closing(sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)) as connection:
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = normal")
            connection.executescript(_TABLE)
            _note_by_what(connection)
            yield AnswerCache(connection, instruction, given)
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise InputError(
                f"{path}: another process has been writing to it for {PATIENCE} s; expected it to"
                " be free; wait, then run the same command: what was answered is kept"
            ) from error
        raise InputError(
            f"{path}: not usable as the cache of answers ({error}); expected what an earlier run"
            " left; remove it (what it holds is then paid for again), or free the disk"
        ) from error


def _note_by_what(connection: sqlite3.Connection) -> None:
    """Add the column that a cache of an earlier version lacks, once if several processes try."""
    connection.execute("begin immediate")
    columns = connection.execute("select name from pragma_table_info('calls')")
    if ("given",) not in columns.fetchall():
        connection.execute("alter table calls add column given text")
    connection.execute("commit")
