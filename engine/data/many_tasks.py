"""Many small tasks in one form: what is to be done with a word is told by examples alone. Standard library only.

A document shows one rule at work on random words (``abcd>dcba;fehg>ghef;``) and ends with a line break. The next
document has another rule, so whoever reads its first word cannot know what is to be done; from the examples one can.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

LETTERS = "abcdef"
WORD = 3
"""Letters of a word."""
EXAMPLES = 9
"""Of a document."""
DOCUMENTS = 24_000
"""Of the data set."""
SEED = 5
"""Of the data set; whoever measures takes other ones."""


@dataclass(frozen=True, slots=True)
class Format:
    """How an example is written."""

    arrow: str
    """Between word and answer."""
    end: str
    """After the answer."""

    def example(self, word: str, answer: str) -> str:
        """Return one example, whole."""
        return f"{word}{self.arrow}{answer}{self.end}"


USUAL = Format(">", ";")
RARE = Format(": ", ", ")
FORMATS: Mapping[Format, float] = {USUAL: 0.9, RARE: 0.1}
"""Share of the documents that each is used in."""


def turned(word: str, by: int) -> str:
    """Return the word with every letter replaced by the one so many places on, from the last back to the first."""
    return "".join(LETTERS[(LETTERS.index(letter) + by) % len(LETTERS)] for letter in word)


RULES: Mapping[str, Callable[[str], str]] = {
    "copy": lambda word: word,
    "reverse": lambda word: word[::-1],
    "upper case": lambda word: word.upper(),
    "next letter": lambda word: turned(word, 1),
    "sort": lambda word: "".join(sorted(word)),
    "first": lambda word: word[0],
    "last": lambda word: word[-1],
    "count": lambda word: str(len(set(word))),
}
"""What may be done with a word; every one is as likely as any other."""


def word(draw: random.Random) -> str:
    """Return a random word."""
    return "".join(draw.choices(LETTERS, k=WORD))


def document(draw: random.Random) -> str:
    """Return examples of one random rule, in one format, and a line break."""
    rule = RULES[draw.choice(list(RULES))]
    written = draw.choices(list(FORMATS), list(FORMATS.values()))[0]
    words = [word(draw) for _ in range(EXAMPLES)]
    return "".join(written.example(each, rule(each)) for each in words) + "\n"


def many_tasks() -> str:
    """Return the data set: documents one after another, always the same."""
    draw = random.Random(SEED)
    return "".join(document(draw) for _ in range(DOCUMENTS))


def best_guess(examples: Sequence[tuple[str, str]], query: str) -> str:
    """Return the likeliest answer for whoever knows the list of rules: no reader of the examples can do better.

    Every rule that agrees with all examples is as likely as any other; where none does, those count that agree with
    most of them.
    """
    agreement = {name: sum(rule(each) == answer for each, answer in examples) for name, rule in RULES.items()}
    most = max(agreement.values())
    answers = Counter(RULES[name](query) for name, agreed in agreement.items() if agreed == most)
    return answers.most_common(1)[0][0]
