"""Made-up tasks that turn one short text into another: reverse, sort, and many written forms of a date to ISO 8601.

Standard library only.
"""

from __future__ import annotations

import datetime
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

SHORTEST, LONGEST = 4, 12
"""Letters of a word to reverse or sort."""

FIRST_DAY, LAST_DAY = datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)
"""A hundred years, so that two digits name a year: 50 to 99 are of the last century."""

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


class Pair(NamedTuple):
    """What is read, and what is to be written."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Task:
    """How a pair is drawn, and what must not stand in two splits."""

    draw: Callable[[Random], Pair]
    key: Callable[[Pair], str]


def word(draw: Random) -> str:
    """Return a word of random letters."""
    return "".join(draw.choices(string.ascii_lowercase, k=draw.randint(SHORTEST, LONGEST)))


def reversed_word(draw: Random) -> Pair:
    """Return a word and the same from its end."""
    source = word(draw)
    return Pair(source, source[::-1])


def sorted_word(draw: Random) -> Pair:
    """Return a word and its letters in the order of the alphabet."""
    source = word(draw)
    return Pair(source, "".join(sorted(source)))


def ordinal(number: int) -> str:
    """Return a number as it counts days: ``1st``, ``12th``, ``23rd``."""
    ending = "th" if number in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


FORMS: tuple[Callable[[datetime.date], str], ...] = (
    lambda day: f"{day.day} {MONTHS[day.month - 1]} {day.year}",
    lambda day: f"{day.day} {MONTHS[day.month - 1][:3]} {day.year}",
    lambda day: f"{day.day} {MONTHS[day.month - 1][:3].lower()} {day:%y}",
    lambda day: f"{day.day}-{MONTHS[day.month - 1][:3]}-{day.year}",
    lambda day: f"{MONTHS[day.month - 1]} {day.day}, {day.year}",
    lambda day: f"{MONTHS[day.month - 1][:3]} {day.day}, {day.year}",
    lambda day: f"{MONTHS[day.month - 1].upper()} {day.day} {day.year}",
    lambda day: f"{MONTHS[day.month - 1]} {ordinal(day.day)}, {day.year}",
    lambda day: f"the {ordinal(day.day)} of {MONTHS[day.month - 1]}, {day.year}",
    lambda day: f"{WEEKDAYS[day.weekday()]}, {day.day} {MONTHS[day.month - 1]} {day.year}",
    lambda day: f"{WEEKDAYS[day.weekday()][:3]}, {MONTHS[day.month - 1][:3]} {day.day}, {day.year}",
    lambda day: f"{day.month}/{day.day}/{day.year}",
    lambda day: f"{day.month}/{day.day}/{day:%y}",
    lambda day: f"{day.day}.{day.month}.{day.year}",
    lambda day: f"{day:%d.%m.%y}",
    lambda day: f"{day.day}.{ROMAN[day.month - 1]}.{day.year}",
    lambda day: f"{day:%Y/%m/%d}",
    lambda day: f"{day:%Y%m%d}",
)
"""Ways to write a day. A slash has the month first, as in America, a point the day, as in Germany, so that each has one
meaning.
"""


def date(draw: Random) -> Pair:
    """Return a day in one of its written forms, and in that of ISO 8601."""
    day = FIRST_DAY + datetime.timedelta(days=draw.randrange((LAST_DAY - FIRST_DAY).days + 1))
    return Pair(draw.choice(FORMS)(day), day.isoformat())


TASKS: Mapping[str, Task] = {
    "reverse": Task(reversed_word, lambda pair: pair.source),
    "sort": Task(sorted_word, lambda pair: pair.source),
    "dates": Task(date, lambda pair: pair.target),
}
