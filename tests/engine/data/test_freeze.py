"""From entries to a corpus: sentences alone, questions apart, and no sign that a typewriter lacks."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from engine.data.freeze import main, prose, questions
from engine.data.load import load
from engine.data.plain import plain
from engine.data.table import TABLE

ENTRY = """---
title: Softmax
one_line: Scores become "shares".
related: [logits]
---

## In one sentence
A **softmax** makes [[probability-distribution|probabilities]] of [[logits]], see [here](https://x.org).

## How it works
1. Take $e^x$ of each, so that
   nothing is negative.
- `exp` is steep.

```python
assert 1 < 2
```

$$ p = e / Z $$

| a | b |
|---|---|
| 1 | 2 |

## FAQ
**Is it max?** No: it is
smooth. See [[logits]].

**Why e?** *Habit*, mostly.

## Check yourself
1. What do the shares
   sum to?
   - [ ] 2. *(No.)*
   - [x] 1. *(Yes: they are
     divided by their sum.)*
2. Which score wins?
   - [x] The largest. *(Right by order.)*
   - [ ] None. *(One does.)*

## Further reading
Nobody 2020.
"""


def test_prose_is_sentences_alone() -> None:
    assert prose(ENTRY) == (
        'Softmax\nScores become "shares".\nA softmax makes probabilities of logits, see here.\n'
        "Take of each, so that nothing is negative.\nexp is steep.\n"
    )


def test_questions_come_with_their_right_answers() -> None:
    assert questions(ENTRY) == (
        "Question: Is it max?\nAnswer: No: it is smooth. See logits.\n\n"
        "Question: Why e?\nAnswer: Habit, mostly.\n\n"
        "Question: What do the shares sum to?\nAnswer: 1. They are divided by their sum.\n\n"
        "Question: Which score wins?\nAnswer: The largest. Right by order.\n"
    )


def test_an_entry_without_questions_gives_none() -> None:
    assert questions("---\ntitle: X\n---\n## How it works\nSo.\n") == ""


def test_signs_beyond_a_typewriter_are_written_out() -> None:
    assert plain("σ “soft” naïve – x² ŷ ½ 好") == 'sigma "soft" naive - x2 y 1/2 '
    assert plain("plain\ttext\n") == "plain\ttext\n"


@pytest.mark.parametrize("options", [[], ["--questions"]])
def test_the_same_entries_give_the_same_bytes(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "topic").mkdir()
    (tmp_path / "topic" / "softmax.md").write_text(ENTRY)
    (tmp_path / "topic" / "other.md").write_text(ENTRY.replace("Softmax", "Other"))
    files = [tmp_path / "a.txt.gz", tmp_path / "b.txt.gz"]
    for file in files:
        assert main([*options, str(tmp_path), str(file)]) == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    text = gzip.decompress(files[0].read_bytes()).decode()
    assert text.count("\n\n") >= 1
    assert main([str(tmp_path)]) == 2


@pytest.mark.parametrize("name", ["glossary", "glossary-questions"])
def test_the_frozen_texts_are_small_alphabets_of_whole_sentences(name: str) -> None:
    import torch

    corpus = load(name, type("Spec", (), {"examples": 0}), 0, torch.device("cpu"))
    text = corpus.train + corpus.valid
    assert text.isascii()
    assert len(text) > 40_000
    assert len(set(text)) < 100
    assert "[[" not in text
    assert "**" not in text
    assert TABLE[name].embedded
    assert ("Question: " in text) == (name == "glossary-questions")
