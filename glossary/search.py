"""Search over all entries: names first, then the text, then what is spelled like a name.

The index is an SQLite FTS5 table and can be made again from the entries at any time, so it is, on any doubt. It may lie
in the app's own database: only tables whose names begin with ``search_`` are touched.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterable
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import msgspec

from glossary.library import Library
from glossary.mentions import singular
from glossary.model import QUESTIONS, Entry, Hit
from glossary.prose import plain, prose

SCHEMA = 1
LONGEST_QUERY = 200
MOST_WORDS = 8
FEW = 3
"""With fewer hits than this, words that are spelled like the query's are tried."""
NEAR = 75.0
"""How alike two words have to be, of 100."""
COMING = "coming"
"""Why a planned entry is found: its name."""
MARK, UNMARK = "\ue000", "\ue001"
_WEIGHTS = "10.0, 8.0, 4.0, 1.0, 0.3"
_STOP = frozenset((
    "a", "an", "and", "are", "as", "at", "be", "by", "did", "do", "does", "for", "from", "how", "i", "in", "is", "it",
    "my", "of", "on", "or", "that", "the", "this", "to", "was", "what", "when", "which", "why", "with", "you",
))  # fmt: skip
_FILLED = ("search_pages", "search_names", "search_text")
_TABLES = """
DROP TABLE IF EXISTS search_text; DROP TABLE IF EXISTS search_names; DROP TABLE IF EXISTS search_pages;
DROP TABLE IF EXISTS search_meta;
CREATE TABLE search_meta (digest TEXT NOT NULL);
CREATE TABLE search_pages (id INTEGER PRIMARY KEY, slug TEXT NOT NULL, title TEXT NOT NULL, one_line TEXT NOT NULL);
CREATE TABLE search_names (key TEXT NOT NULL, page INTEGER NOT NULL, rank INTEGER NOT NULL, name TEXT NOT NULL);
CREATE INDEX search_names_key ON search_names (key);
CREATE VIRTUAL TABLE search_text USING fts5(
    title, aliases, one_line, body, code, prefix='1 2 3', tokenize='unicode61 remove_diacritics 2'
);
"""


class Index:
    """A search over the entries of one library. Safe to use from several threads, one query at a time."""

    def __init__(self, library: Library, path: Path | None = None) -> None:
        """Open the index at `path` and make it again where it does not fit.

        Without a path, or where that one cannot be used, the index lies in memory.
        """
        self._lock = threading.Lock()
        self._library = library
        digest = _digest(library)
        try:
            self._database = self._open(path, digest)
        except sqlite3.Error:
            self._database = self._open(None, digest)

    def _open(self, path: Path | None, digest: str) -> sqlite3.Connection:
        database = sqlite3.connect(path or ":memory:", check_same_thread=False, timeout=2.0, isolation_level=None)
        try:
            if not _is_current(database, digest):
                _build(database, self._library, digest)
        except sqlite3.Error:
            database.close()
            raise
        return database

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def search(self, query: str, limit: int = 20) -> list[Hit]:
        """Return the entries that a query means, the best first.

        Any text is a query; its last word may be unfinished.
        """
        words = words_of(query)
        if not words or limit < 1:
            return []
        with self._lock:
            try:
                return self._ranked(words, limit)
            except sqlite3.Error:
                self._database = self._open(None, _digest(self._library))
                return self._ranked(words, limit)

    def _ranked(self, words: list[str], limit: int) -> list[Hit]:
        telling = [word for word in words if word not in _STOP] or words[-1:]
        hits: dict[str, Hit] = {}
        named, planned = self._named(words, limit)
        self._add(hits, named)
        if len(hits) < limit:
            self._add(hits, self._full_text(_all_of(telling), limit))
        self._add(hits, planned)
        if len(hits) < FEW:
            self._add(hits, self._spelled_like(telling, limit))
        if not hits and len(telling) > 1:
            self._add(hits, self._full_text(" OR ".join(map(_term, telling)), limit))
        return list(hits.values())[:limit]

    @staticmethod
    def _add(hits: dict[str, Hit], found: Iterable[Hit]) -> None:
        for hit in found:
            hits.setdefault(hit.slug, hit)

    def _named(self, words: list[str], limit: int) -> tuple[list[Hit], list[Hit]]:
        """Return the entries with a name that is the query or begins with it, and the planned that only begin so."""
        key = " ".join(words)
        rows = self._database.execute(
            "SELECT slug, title, one_line, name, rank, key = ?1 FROM search_names JOIN search_pages ON page = id"
            " WHERE key >= ?1 AND key < ?2 ORDER BY key != ?1, rank, length(key), key LIMIT ?3",
            (key, key + "\U0010ffff", limit),
        )
        named: list[Hit] = []
        planned: list[Hit] = []
        for slug, title, one_line, name, rank, exact in rows.fetchall():
            hit = Hit(slug, title, one_line, "", ("title", f"also called {name}", COMING)[rank])
            (planned if hit.why == COMING and not exact else named).append(hit)
        return named, planned

    def _full_text(self, match: str, limit: int, why: str = "in the text") -> list[Hit]:
        rows = self._database.execute(
            f"SELECT p.slug, p.title, p.one_line, snippet(search_text, 3, '{MARK}', '{UNMARK}', '…', 16)"
            " FROM search_text JOIN search_pages AS p ON p.id = search_text.rowid"
            f" WHERE search_text MATCH ? ORDER BY bm25(search_text, {_WEIGHTS}) LIMIT ?",
            (match, limit),
        )
        return [
            Hit(slug, title, one_line, snippet if MARK in snippet else "", why)
            for slug, title, one_line, snippet in rows.fetchall()
        ]

    def _spelled_like(self, words: list[str], limit: int) -> Iterable[Hit]:
        """Yield the entries with a name spelled like the query, then those that its mended words find."""
        if max(map(len, words)) < 4:
            return
        from rapidfuzz import fuzz, process

        key = " ".join(words)
        near = process.extract(key, self._keys, scorer=fuzz.ratio, score_cutoff=NEAR, limit=limit)
        for found, _, _ in near:
            for hit in self._named(found.split(), 1)[0]:
                yield msgspec.structs.replace(hit, why=f"spelled like {found}")
        mended: list[str] = []
        for word in words:
            best = None
            if len(word) > 3 and word not in _STOP and word not in self._vocabulary:
                best = process.extractOne(word, self._vocabulary, scorer=fuzz.ratio, score_cutoff=NEAR)
            mended.append(best[0] if best else word)
        if mended != words:
            yield from self._full_text(_all_of(mended), limit, f"spelled like {' '.join(mended)}")

    @cached_property
    def _keys(self) -> list[str]:
        """All names, for comparing their spelling."""
        return [key for (key,) in self._database.execute("SELECT DISTINCT key FROM search_names")]

    @cached_property
    def _vocabulary(self) -> list[str]:
        """All words of names."""
        return sorted({word for key in self._keys for word in key.split() if len(word) > 3})


def words_of(query: str) -> list[str]:
    """Return the words of a query as the index holds them: small letters and digits, accents left out."""
    import unicodedata

    text = unicodedata.normalize("NFKD", query[:LONGEST_QUERY].lower())
    text = "".join(each for each in text if not unicodedata.combining(each))
    return re.findall(r"[^\W_]+", text)[:MOST_WORDS]


def _term(word: str, unfinished: bool = False) -> str:
    """Return a word for FTS5, quoted, so that nothing in it is an operator; longer words match in any ending."""
    stem = singular(word)
    return f'"{stem}"*' if unfinished or len(stem) > 3 else f'"{word}"'


def _all_of(words: list[str]) -> str:
    """Return the query for all words, the last unfinished; one that says little alone is looked for in names only."""
    if len(words) == 1 and (len(words[0]) < 3 or words[0] in _STOP):
        return f'{{title aliases}} : "{words[0]}"*'
    return " AND ".join(_term(word, unfinished=place == len(words)) for place, word in enumerate(words, 1))


def _digest(library: Library) -> str:
    """Return a digest of all that the index is made of."""
    digest = blake2b(f"{SCHEMA} {sqlite3.sqlite_version}".encode(), digest_size=16)
    for slug, entry in library.entries.items():
        digest.update(f"{slug}\0{entry.title}\0{entry.digest}\n".encode("utf-8", "surrogatepass"))
    digest.update("\n".join(library.coming).encode())
    return digest.hexdigest()


def _is_current(database: sqlite3.Connection, digest: str) -> bool:
    """Say whether the index was made from these very entries, and all its tables are there and filled."""
    try:
        made_from = database.execute("SELECT digest FROM search_meta").fetchone()
        filled = [database.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone() for table in _FILLED]
    except sqlite3.OperationalError:
        return False
    return bool(made_from == (digest,) and all(filled))


def _build(database: sqlite3.Connection, library: Library, digest: str) -> None:
    """Make the index anew, all of it or nothing."""
    database.execute("BEGIN IMMEDIATE")
    try:
        for statement in _TABLES.split(";"):
            database.execute(statement)
        for number, entry in enumerate(library.entries.values(), 1):
            _insert(database, number, entry)
        for number, slug in enumerate(library.coming, len(library.entries) + 1):
            term = library.taxonomy.terms[slug]
            database.execute("INSERT INTO search_pages VALUES (?, ?, ?, '')", (number, slug, term.name))
            for key in {_key(name) for name in (term.name, slug, *term.acronyms)}:
                database.execute("INSERT INTO search_names VALUES (?, ?, 2, ?)", (key, number, term.name))
        database.execute("INSERT INTO search_meta VALUES (?)", (digest,))
        database.execute("COMMIT")
    except BaseException:
        database.execute("ROLLBACK")
        raise


def _insert(database: sqlite3.Connection, number: int, entry: Entry) -> None:
    database.execute("INSERT INTO search_pages VALUES (?, ?, ?, ?)", (number, entry.slug, entry.title, entry.one_line))
    names = {_key(entry.slug): (0, entry.title)}
    names.update({_key(alias): (1, alias) for alias in reversed(entry.aliases)})
    names[_key(entry.title)] = (0, entry.title)
    rows = [(key, number, rank, name) for key, (rank, name) in names.items() if key]
    database.executemany("INSERT INTO search_names VALUES (?, ?, ?, ?)", rows)
    body = " ".join(plain(prose(each.text)) for each in entry.sections if each.heading != QUESTIONS)
    code = " ".join(block.text for block in entry.blocks)
    database.execute(
        "INSERT INTO search_text (rowid, title, aliases, one_line, body, code) VALUES (?, ?, ?, ?, ?, ?)",
        (number, entry.title, ", ".join(entry.aliases), entry.one_line, " ".join(body.split()), code),
    )


def _key(name: str) -> str:
    return " ".join(words_of(name))
