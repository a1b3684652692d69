"""How often each term stands in each passage: a sparse matrix in three arrays, by passage and by term."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Counts:
    """Compressed rows: passage i holds ``columns[starts[i]:starts[i + 1]]``, ascending, as often as `times` says."""

    terms: tuple[str, ...]
    """The vocabulary, sorted (V)."""
    starts: Places
    """(N + 1)."""
    columns: npt.NDArray[np.int32]
    times: npt.NDArray[np.int32]

    @property
    def rows(self) -> int:
        """The number of passages."""
        return len(self.starts) - 1

    @classmethod
    def of(cls, passages: Sequence[Sequence[str]]) -> Counts:
        """Count the terms of each passage."""
        return cls.joined([Counter(terms) for terms in passages])

    @classmethod
    def joined(cls, passages: Sequence[Mapping[str, int]]) -> Counts:
        """Return the matrix of passages that are counted already."""
        terms = tuple(sorted(set().union(*passages))) if passages else ()
        place = {term: column for column, term in enumerate(terms)}
        sizes = [len(each) for each in passages]
        starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
        columns, times = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.int32)
        for row, each in enumerate(passages):
            inside = sorted((place[term], number) for term, number in each.items())
            part = slice(starts[row], starts[row + 1])
            columns[part] = [column for column, _ in inside]
            times[part] = [number for _, number in inside]
        return cls(terms, starts, columns, times)

    def row(self, place: int) -> dict[str, int]:
        """Return the terms of one passage and how often each stands there."""
        part = slice(self.starts[place], self.starts[place + 1])
        pairs = zip(self.columns[part].tolist(), self.times[part].tolist(), strict=True)
        return {self.terms[column]: number for column, number in pairs}

    def row_of_each(self) -> npt.NDArray[np.int32]:
        """Return the passage that each entry belongs to."""
        return np.repeat(np.arange(self.rows, dtype=np.int32), np.diff(self.starts))

    def lengths(self) -> npt.NDArray[np.float64]:
        """Return the number of terms in each passage, repeats counted (N)."""
        sums = np.bincount(self.row_of_each(), weights=self.times, minlength=self.rows)
        return sums.astype(np.float64)

    def by_term(self) -> tuple[Places, npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        """Return the same matrix by term: starts (V + 1), passages, times."""
        order = np.argsort(self.columns, kind="stable")
        sizes = np.bincount(self.columns, minlength=len(self.terms))
        starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return starts, self.row_of_each()[order], self.times[order]
