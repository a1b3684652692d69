"""Front matter is a small, safe subset of YAML: strings stay strings, and what is refused is refused by line."""

from __future__ import annotations

import time

import msgspec
import pytest

from glossary.front import DEPTH, FRONT_BYTES, ParseProblem, convert, read_yaml, split_front


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    age: int = 0
    friends: list[str] = []


def test_what_other_loaders_turn_into_something_else_stays_a_string():
    data, _ = read_yaml("a: no\nb: 1:30\nc: 2024-01-01\nd: 0x10\ne: ~\nf: 1_000", 2)
    assert data == {"a": "no", "b": "1:30", "c": "2024-01-01", "d": "0x10", "e": "~", "f": "1_000"}


def test_every_key_and_item_knows_its_line():
    _, lines = read_yaml("title: x\nlist:\n  - one\n  - two\ninner: {key: value}", 2)
    assert (lines["title",], lines["list", 1], lines["inner", "key"]) == (2, 5, 6)


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("a: &x 1\nb: 2", "Anchors", 2),
        ("a: 1\nb: *x", "Aliases", 3),
        ("a: !!python/object/apply:os.system [ls]", "Tags", 2),
        ("a: !!int 3", "Tags", 2),
        ("a: 1\na: 2", "twice", 3),
        ("a: b: c", "colon", 2),
        ("a: 1\nb: [1, 2", "No YAML", 4),
        ('a: 1\nb: "\\e[2J"', "control character", 3),
        ("a: \x1b[2J", "character", 2),
        ("? [x]\n: 1", "key", 2),
        ("a: 1\n--- \nb: 2", "document", 4),
    ],
)
def test_what_the_subset_does_not_allow_is_refused_with_its_line(text: str, reason: str, line: int):
    with pytest.raises(ParseProblem, match=reason) as caught:
        read_yaml(text, 2)
    assert caught.value.line == line


def test_a_bomb_of_aliases_is_refused_before_it_unfolds():
    bomb = "a: &a [x, x]\n" + "".join(f"{k}: &{k} [*{p}, *{p}]\n" for p, k in zip("abcdefgh", "bcdefghi", strict=True))
    with pytest.raises(ParseProblem, match="Anchors"):
        read_yaml(bomb, 2)


@pytest.mark.parametrize("text", ["[" * 50_000, "a: " + "{a: " * 9_000, "- " * 30_000, "a: [" + "1, " * 20_000 + "]"])
def test_deep_and_long_data_end_quickly(text: str):
    began = time.process_time()
    with pytest.raises(ParseProblem):
        read_yaml(text[: FRONT_BYTES - 1], 2)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(("extra", "fits"), [(-1, True), (0, True), (1, False)])
def test_the_size_limit_holds_to_the_byte(extra: int, fits: bool):
    text = "a: " + "x" * (FRONT_BYTES - 3 + extra)
    if fits:
        assert read_yaml(text, 2)[0]["a"].startswith("xxx")
    else:
        with pytest.raises(ParseProblem, match="longer than"):
            read_yaml(text, 2)


@pytest.mark.parametrize(("depth", "fits"), [(DEPTH - 1, True), (DEPTH, True), (DEPTH + 1, False)])
def test_the_depth_limit_holds(depth: int, fits: bool):
    text = "[" * depth + "x" + "]" * depth
    if fits:
        read_yaml(text, 2)
    else:
        with pytest.raises(ParseProblem, match="deeper"):
            read_yaml(text, 2)


@pytest.mark.parametrize(
    ("text", "reason", "line"),
    [
        ("name: x\ncolour: red", "Unknown key 'colour'", 3),
        ("age: 3", "Missing key 'name'", 2),
        ("name: x\nage: old", "age: Expected 'int'", 3),
        ("name: x\nfriends: all", "friends: Expected 'array'", 3),
        ("name: x\nfriends:\n  - a\n  - [b]", r"friends.1: Expected 'str'", 5),
        ("name: [x]", "name: Expected 'str'", 2),
        ("just words", "Expected 'object'", 2),
    ],
)
def test_unknown_keys_and_wrong_types_are_named_by_line(text: str, reason: str, line: int):
    data, lines = read_yaml(text, 2)
    with pytest.raises(ParseProblem, match=reason) as caught:
        convert(data, lines, Person)
    assert caught.value.line == line


def test_numbers_are_read_from_their_digits():
    data, lines = read_yaml("name: 1984\nage: 41", 2)
    assert convert(data, lines, Person) == Person("1984", 41)


def test_the_splitter_finds_where_the_text_begins():
    assert split_front("---\na: 1\n---\nbody\n") == ("a: 1\n", "body\n", 4)
    assert split_front("---\n---\nbody") == ("", "body", 3)
    assert split_front("no front matter\n---\n") == (None, "no front matter\n---\n", 1)
    assert split_front("----\nx") == (None, "----\nx", 1)
    with pytest.raises(ParseProblem, match="never closed"):
        split_front("---\na: 1\n")
