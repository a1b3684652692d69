"""GPT-2's tokens, on a made-up vocabulary in the form of the published files, and on the real one where it is here."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from pathlib import Path

import pytest

from engine.core.errors import DataError
from engine.data.files import missing
from engine.data.gpt2_tokens import (
    END,
    GPT2Tokens,
    letters_of_bytes,
    load_gpt2_tokens,
    read_gpt2_tokens,
    words_pattern,
)
from engine.data.table import data_set
from tests.engine.data.tiny_gpt2 import MERGES, write_tokens

TEXTS = (
    "",
    " ",
    "the hat on the head",
    "  two blanks,\n\n\tand   more  \n",
    "don't, we'll; THEY'RE 1984 x² ¾ Ⅷ snake_case",
    "naïve café ÿ\xa0\u3000 漢字 ру́сский ا",
    "a face \N{GRINNING FACE}, a family \U0001f468\u200d\U0001f469\u200d\U0001f467, \x00\x1c\x1f\x7f",
)


@pytest.fixture
def tokens(tmp_path: Path) -> GPT2Tokens:
    return read_gpt2_tokens(*write_tokens(tmp_path))


def test_every_byte_has_a_letter_of_its_own_that_can_be_seen() -> None:
    letters = letters_of_bytes()
    assert len(set(letters)) == 256
    assert all(letter.isprintable() and not letter.isspace() for letter in letters)
    assert letters[ord(" ")] == "Ġ" and letters[ord("\n")] == "Ċ" and letters[ord("a")] == "a"


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_comes_back_whole_and_piece_by_piece(tokens: GPT2Tokens, text: str) -> None:
    numbers = tokens.encode(text)
    assert tokens.decode(numbers) == text
    assert list(tokens.stream(numbers.tolist())) == list(text)


def test_neighbors_are_merged_in_the_order_of_the_list(tokens: GPT2Tokens) -> None:
    cut = [tokens.words[number] for number in tokens.encode("the hat on then")]
    assert cut == ["t", "he", "Ġh", "at", "Ġ", "o", "n", "Ġthe", "n"]  # "Ġt" comes before "th" could, and needs a blank


def test_a_word_keeps_the_blank_before_it() -> None:
    find = words_pattern().findall
    assert find("Hi there,  it's 42x!\n") == ["Hi", " there", ",", " ", " it", "'s", " 42", "x", "!", "\n"]
    assert find("x² _a \x1c") == ["x", "²", " _", "a", " \x1c"]  # a separator of files is no blank to Unicode


def test_the_classes_written_out_are_those_of_unicode() -> None:
    """A letter, a number or anything else, three to a word: each character alone must fall into its own class."""
    pattern = words_pattern()
    for kind in ("L", "N", "other"):
        characters = [chr(code) for code in range(sys.maxunicode + 1) if _kind(chr(code)) == kind]
        assert pattern.findall("".join(characters)) == ["".join(characters)], kind


def _kind(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] in "LN":
        return category[0]
    blank = character.isspace() and not re.match(r"[\x1c-\x1f]", character)
    return "blank" if blank else "other"


def test_a_part_of_a_character_is_held_back_until_the_rest_has_come(tokens: GPT2Tokens) -> None:
    numbers = tokens.encode("é!").tolist()
    assert len(numbers) == 3
    assert tokens.pieces(numbers) == ["\ufffd", "\ufffd", "!"]
    given = tokens.stream(iter(numbers))
    assert next(given) == "é"
    assert list(tokens.stream(numbers[:1])) == ["\ufffd"]
    assert tokens.decode(numbers[1:]) == "\ufffd!"


def test_the_end_of_a_text_is_a_token_that_no_text_encodes_to(tokens: GPT2Tokens) -> None:
    assert tokens.start is not None
    assert tokens.decode([tokens.start]) == END
    assert tokens.start not in tokens.encode(END).tolist()


def test_half_a_surrogate_is_no_reason_to_fail(tokens: GPT2Tokens) -> None:
    assert tokens.decode(tokens.encode("a\ud83d")) == "a?"


@pytest.mark.parametrize("wrong", ["merges", "json", "hole", "list", "absent"])
def test_files_that_are_no_tokens_are_refused(tmp_path: Path, wrong: str) -> None:
    merges, vocabulary = write_tokens(tmp_path)
    known = json.loads(vocabulary.read_text("utf-8"))
    match wrong:
        case "merges":
            merges.write_text("#version: 0.2\nq z\n", "utf-8")
        case "json":
            vocabulary.write_text("{", "utf-8")
        case "hole":
            vocabulary.write_text(json.dumps({**known, END: 9999}), "utf-8")
        case "list":
            vocabulary.write_text("[1, 2]", "utf-8")
        case "absent":
            merges.unlink()
    with pytest.raises(DataError, match=r"merges.txt and vocab.json are not GPT-2's tokens"):
        read_gpt2_tokens(merges, vocabulary)


def test_the_made_up_files_have_the_form_of_the_real_ones(tmp_path: Path) -> None:
    merges, vocabulary = write_tokens(tmp_path)
    assert merges.read_text("utf-8").splitlines()[0] == "#version: 0.2"
    assert len(json.loads(vocabulary.read_text("utf-8"))) == 256 + len(MERGES) + 1


def test_the_published_tokens_cut_tiny_shakespeare_as_nanogpt_says() -> None:
    """301,966 and 36,059 tokens stand in the README of nanoGPT's data/shakespeare."""
    absent = {file.name for name in ("gpt-2", "tiny-shakespeare") for file in missing(data_set(name))}
    if absent & {"merges.txt", "vocab.json", "input.txt"}:
        pytest.skip("the files of GPT-2 are not on this machine")
    from engine.data.corpora import load_corpus

    tokens, corpus = load_gpt2_tokens(), load_corpus(data_set("tiny-shakespeare"), 0)
    assert len(tokens) == 50_257
    assert tokens.encode("Hello world").tolist() == [15496, 995]
    assert len(tokens.encode(corpus.train)) == 301_966
    assert len(tokens.encode(corpus.valid)) == 36_059
