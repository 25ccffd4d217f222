"""Which texts of the corpus the rows of a label file are about: by id, by text, or by both.

Where both are there they must agree. Ids that annotation tools give away themselves (1, 2, 3, …)
may happen to be ids of the corpus, too, so a text that is found says more than an id.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from tasks.core.documents.staging import text_hash
from tasks.core.labels.notes import BY_TEXT, LOOSELY, REMARKS, RESPELLED
from tasks.core.labels.rows import Keys, LabelRows
from tasks.core.readers.records import Cell
from tasks.core.text.ids import plain, respelled
from tasks.core.text.same_text import SEVERAL, TextFinder, TextKeys, Texts, alike, loosened

NO_ID, NO_TEXT = "empty id", "empty text"
UNKNOWN_ID, UNKNOWN_TEXT = "id not in the corpus", "text not in the corpus"
NEITHER = "neither id nor text in the corpus"
OTHER_TEXT = "text is not that of its id"
CONFLICT = "id and text are of two different texts"
OWN_ID = "no text, and ids are not the corpus's"
TWO_IDS = "two columns of ids name two texts, and no text says which"
WEAK = frozenset(("comment", "description", "review", "message", "body", "data", "input.comment"))


@dataclass
class Places:
    """For each row of a label file the text it is about, by id or by hash, or why there is none."""

    ids: list[str | None]
    hashes: list[str | None]
    reasons: list[str | None]
    notes: Counter[str] = field(default_factory=Counter)


def place(rows: LabelRows, keys: TextKeys, texts: Texts | None) -> Places:
    """Find which text of the corpus each row of a label file is about.

    keys: looks up ids and hashes of the corpus's texts. texts: gives these texts where one is not
    found as it is written; None: hashes alone are compared.
    """
    return _Placing(rows, keys, texts).run()


def _apart(columns: list[tuple[int, list[str | None]]]) -> set[int]:
    """Return the rows in which columns that look like ids name different texts.

    columns: how many texts each names, and which by row; one of few is a category.
    """
    most = max((names for names, _ in columns), default=0)
    ids = [there for names, there in columns if 2 * names >= most]
    rows = enumerate(zip(*ids, strict=True)) if len(ids) > 1 else ()
    return {at for at, named in rows if len({each for each in named if each}) > 1}


class _Placing:
    def __init__(self, rows: LabelRows, keys: TextKeys, texts: Texts | None) -> None:
        self._keys, self._read = keys, texts
        self._n = len(rows)
        self._notes: Counter[str] = Counter()
        self._hash_of: dict[str, str] = {}  # of the ids that rows name
        self._texts = self._choose_texts(rows.texts)
        self._made = [text_hash(text) if text else None for text in self._texts]
        self._found = self._known_hashes(self._made)
        if not self._found:
            self._look_aside(rows.others)
        self._contested: set[int] = set()  # rows in which two columns name two texts
        self._ids = self._choose_ids(rows.ids)
        self._weak = all(name.lower() in WEAK for name in rows.texts)
        self._loose: dict[
            int, str
        ] = {}  # row to the hash of the text that its text is a version of
        self._several: set[int] = set()

    def _choose_texts(self, columns: Keys) -> list[str | None]:
        """Return, of the columns that may hold texts, the one with most texts of the corpus."""
        best: tuple[int, list[str | None]] = (-1, [None] * self._n)
        for cells in columns.values():
            texts = [cell if cell and cell.strip() else None for cell in cells]
            if len(columns) == 1:
                return texts
            known = self._known_hashes([text_hash(text) if text else None for text in texts])
            best = max(best, (len(known), texts), key=lambda each: each[0])
        return best[1]

    def _look_aside(self, columns: Keys) -> None:
        """Take a column of any name for the texts, if most of it is texts of the corpus."""
        for cells in columns.values():
            texts = [cell if cell and cell.strip() else None for cell in cells]
            made = [text_hash(text) if text else None for text in texts]
            known = self._known_hashes(made)
            if 2 * sum(each in known for each in made) > max(2, sum(map(bool, made))):
                self._texts, self._made, self._found = texts, made, known
                return

    def _known_hashes(self, made: list[str | None]) -> set[str]:
        asked = {each for each in made if each}
        found = self._keys("text_hash", asked) if asked else ()
        return {each for frame in found for each in frame["text_hash"].to_list()}

    def _choose_ids(self, columns: Keys) -> list[str | None]:
        """Return, of the columns that may hold ids, the one that names the rows' own texts most."""
        best: tuple[tuple[int, int], list[str | None]] = ((-1, -1), [None] * self._n)
        keys: list[tuple[int, list[str | None]]] = []
        for cells in columns.values():
            named = self._named(cells)
            there = [self._hash_of.get(key) if key else None for key in named]
            agree = sum(a is not None and a == b for a, b in zip(there, self._made, strict=True))
            count = sum(each is not None for each in there)
            best = max(best, ((agree, count), named), key=lambda each: each[0])
            if 2 * count > self._n:
                keys.append((len({key for key in named if key in self._hash_of}), there))
        if not best[0][0]:
            self._contested = _apart(keys)
        return best[1]

    def _named(self, cells: list[Cell]) -> list[str | None]:
        named = [plain(cell) or None if cell else None for cell in cells]
        asked = {key for key in named if key}
        self._learn(asked)
        if asked and not any(key in self._hash_of for key in asked):
            every = (key for frame in self._keys("id", None) for key in frame["id"].to_list())
            other = respelled(asked, every)
            self._learn(set(other.values()))
            if other:
                self._notes[RESPELLED] = sum(key in other for key in named)
            named = [other.get(key, key) if key else None for key in named]
        return named

    def _learn(self, asked: set[str]) -> None:
        for frame in self._keys("id", asked) if asked else ():
            self._hash_of.update(frame.select("id", "text_hash").iter_rows())

    def run(self) -> Places:
        if not any(self._texts):
            return self._by_id()
        self._find_versions()
        seen = Counter(self._verdict(at) for at in range(self._n))
        found = seen["agree"] + seen["elsewhere"] + seen["text"]
        if not found and self._weak and self._are_remarks():
            self._notes[REMARKS] = sum(text is not None for text in self._texts)
            return self._by_id()
        silent = sum(text is None for text in self._texts)
        trusted = seen["agree"] >= seen["elsewhere"] if found else 2 * silent > self._n
        if found and not seen["agree"]:
            trusted = False
        places = Places([None] * self._n, [None] * self._n, [None] * self._n, self._notes)
        for at in range(self._n):
            self._put(places, at, trusted=trusted)
        places.notes = +places.notes
        return places

    def _are_remarks(self) -> bool:
        """Tell whether what seemed texts are remarks: beside ids, on few rows or of few kinds."""
        return any(self._ids) and 2 * len({text for text in self._texts if text}) < self._n

    def _by_id(self) -> Places:
        reasons: list[str | None] = [
            NO_ID if not key else None if key in self._hash_of else UNKNOWN_ID for key in self._ids
        ]
        for at in self._contested:
            reasons[at] = TWO_IDS
        return Places(list(self._ids), [None] * self._n, reasons, self._notes)

    def _find_versions(self) -> None:
        """Find texts of the corpus that rows write otherwise: first by the row's id, then any."""
        self._agree_loosely()
        left = [at for at, made in enumerate(self._made) if made and made not in self._found]
        if not left or self._read is None:
            return
        with_id = {key for at in left if (key := self._ids[at]) in self._hash_of and key}
        stored = dict(self._pairs(sorted(with_id)))
        for at in left:
            key, text = self._ids[at], self._texts[at]
            if key in stored and text and alike(text, stored[key]):
                self._loose[at] = self._hash_of[key]
        rest = [at for at in left if at not in self._loose]
        wanted = {text for at in rest if (text := self._texts[at])}
        if not wanted:
            return
        finder = TextFinder(wanted, self._read(None))
        for at in rest:
            hashes = finder.hashes(str(self._texts[at]))
            if len(hashes) == 1:
                self._loose[at] = next(iter(hashes))
            elif hashes:
                self._several.add(at)

    def _agree_loosely(self) -> None:
        """Let the row's id decide between texts of the corpus that differ in nothing but blanks."""
        made, own = self._made, [self._hash_of.get(key or "") for key in self._ids]
        apart = [at for at in range(self._n) if made[at] in self._found and own[at] is not None]
        apart = [at for at in apart if own[at] != made[at]]
        stored = dict(self._pairs(sorted({str(self._ids[at]) for at in apart})))
        for at in apart:
            there, text = stored.get(str(self._ids[at])), self._texts[at]
            if there is not None and text and loosened(there) == loosened(text):
                self._loose[at] = str(own[at])

    def _pairs(self, ids: list[str]) -> list[tuple[str, str]]:
        if not ids or self._read is None:
            return []
        return [
            pair for frame in self._read(ids) for pair in frame.select("id", "text").iter_rows()
        ]

    def _hash(self, at: int) -> str | None:
        """Return the hash of the text of the corpus that row `at` shows, or None."""
        made = self._made[at]
        return self._loose.get(at) or (made if made in self._found else None)

    def _verdict(self, at: int) -> str:
        shown, own = self._hash(at), self._hash_of.get(self._ids[at] or "")
        if shown is None:
            return "id" if own is not None else "nothing"
        if own is None:
            return "text"
        return "agree" if shown == own else "elsewhere"

    def _put(self, places: Places, at: int, *, trusted: bool) -> None:
        key, shown = self._ids[at], self._hash(at)
        verdict = self._verdict(at)
        if verdict == "agree":
            places.ids[at] = key
        elif verdict == "text" or (verdict == "elsewhere" and not trusted):
            places.hashes[at] = shown
            places.notes[BY_TEXT] += bool(key)
            places.notes[LOOSELY] += at in self._loose
        elif at in self._contested and verdict == "id":
            places.ids[at], places.reasons[at] = key, TWO_IDS
        elif verdict == "id" and self._texts[at] is None and trusted:
            places.ids[at] = key
        else:
            places.reasons[at] = self._reason(at, verdict, trusted=trusted)
            places.ids[at] = key

    def _reason(self, at: int, verdict: str, *, trusted: bool) -> str:
        if verdict == "elsewhere":
            return CONFLICT
        if at in self._several:
            return SEVERAL
        if self._texts[at] is None:
            if verdict == "id":
                return OWN_ID
            return UNKNOWN_ID if self._ids[at] else NO_TEXT
        if verdict == "id" and (trusted or not self._loose.keys() | self._found):
            return OTHER_TEXT
        return NEITHER if self._ids[at] else UNKNOWN_TEXT
