"""An entry file becomes an entry, or one problem with its line; no text takes long or raises anything else."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from glossary.front import ParseProblem
from glossary.model import Entry
from glossary.parse import ENTRY_BYTES, parse_entry

FRONT = "---\ntitle: Noise\ntopic: learning-basics\nkind: idea\nlevel: 1\none_line: It hums.\nsources: [A 2001]\n---\n"


def parsed(body: str, front: str = FRONT) -> Entry:
    return parse_entry((front + body).encode(), "learning-basics/noise.md")


def own(text: str, path: str = "my notes.md") -> Entry:
    return parse_entry(text.encode(), path, "own")


def test_sections_stand_under_their_headings_with_their_lines():
    entry = parsed("## In one sentence\nIt hums.\n\n### Deeper\nMore.\n## FAQ\n**Why?** So.\n")
    assert [(each.heading, each.line) for each in entry.sections] == [("In one sentence", 9), ("FAQ", 14)]
    assert entry.sections[0].text == "It hums.\n\n### Deeper\nMore.\n"
    assert entry.headings == ("In one sentence", "Deeper", "FAQ")
    assert entry.lines["kind"] == 4


def test_a_comment_in_code_is_no_heading():
    assert parsed("## A\n```python\n## B\n```\n").headings == ("A",)


def test_links_know_target_heading_words_and_line():
    entry = parsed("See [[softmax]] and [[learning-rate|how\nfar]].\n\n[[gpt#How it works|inside]]\n")
    assert [(link.target, link.heading, link.words, link.line) for link in entry.links] == [
        ("softmax", "", "", 9),
        ("learning-rate", "", "how far", 9),
        ("gpt", "How it works", "inside", 12),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "`[[a]]`",
        "``[[a]] ` ``",
        "```text\n[[a]]\n```",
        "~~~\n[[a]]\n~~~",
        "$[[a]]$",
        "$$\n[[a]]\n$$",
        "[[]]",
        "[[a\n]",
        "[[|x]]",
    ],
)
def test_code_and_formulas_hold_no_links(text: str):
    assert parsed(text).links == ()


def test_prices_are_no_formulas():
    assert len(parsed("It costs $5 to [[gpt]] and $6 to [[bert]].").links) == 2


def test_a_link_in_a_table_may_escape_its_bar():
    assert parsed("| [[gpt\\|GPTs]] | x |\n").links[0].words == "GPTs"


def test_questions_have_choices_with_explanations():
    entry = parsed(
        "## Check yourself\n1. Which\n   one?\n   - [ ] This. *(No: it\n     hums.)*\n"
        "   - [x] f*(x). *(Yes.)*\n2. Next?\n   - [ ] bare\n"
    )
    first, second = entry.questions
    assert first.text == "Which\none?"
    assert [(choice.text, choice.right, choice.explanation) for choice in first.choices] == [
        ("This.", False, "No: it hums."),
        ("f*(x).", True, "Yes."),
    ]
    assert (first.line, first.choices[1].line, second.choices[0].explanation) == (10, 14, "")


def test_code_blocks_know_language_line_and_whether_they_are_closed():
    entry = parsed("## A\n```python\nx = 1\n```\n- item\n  ```text\n  y\n")
    assert [(block.language, block.line, block.closed) for block in entry.blocks] == [
        ("python", 11, True),
        ("text", 15, False),
    ]


def test_words_are_counted_without_code_formulas_and_questions():
    body = "## A\nfour words stand here\n$$x + y$$\n`code`\n```text\nnot this\n```\n[[gpt|two words]]\n"
    body += "## Check yourself\n1. No?\n"
    assert parsed(body).words == 6


def test_a_run_is_one_string_or_a_group():
    one = parsed("x", FRONT.replace("kind: idea", "kind: idea\nrun: mlp/quick depth=0"))
    group = parsed("x", FRONT.replace("kind: idea", "kind: idea\nrun: [mlp/quick, mlp/quick depth=1]"))
    assert one.run == ("mlp/quick depth=0",)
    assert group.run == ("mlp/quick", "mlp/quick depth=1")
    assert parsed("x").run == ()


def test_a_shipped_entry_without_front_matter_is_refused():
    with pytest.raises(ParseProblem, match="front matter"):
        parse_entry(b"# Noise\n", "noise.md")


def test_own_entries_take_their_title_from_heading_or_file_name():
    assert own("# Signal and noise\nText.").title == "Signal and noise"
    assert own("Text only.").title == "My notes"
    assert own("---\ntitle: Given\n---\n# Other").title == "Given"
    assert (own("").title, own("").slug) == ("My notes", "my-notes")


def test_own_entries_may_carry_the_keys_of_other_programs():
    assert own("---\ntags: [x]\ndate: 2024-05-01\n---\nText.").slug == "my-notes"
    with pytest.raises(ParseProblem, match=r"line 3: Unknown key 'alias'"):
        own("---\ntags: [x]\nalias: y\n---\nText.")


def test_a_title_from_outside_cannot_drive_the_terminal():
    entry = own("# \x1b[2Jgone\u202e\nText.", "a\x07b.md")
    assert entry.title == "\ufffd[2Jgone\ufffd"
    assert own("Text.", "\x1b]0;x\x07.md").title.isprintable()


def test_names_from_outside_stay_slugs():
    assert own("x", "../../etc/passwd.md").slug == "passwd"
    assert own("x", "..md").slug not in ("", "..")


def test_text_that_is_no_utf8_is_refused_by_line():
    with pytest.raises(ParseProblem) as caught:
        parse_entry(b"one\ntwo\n\xff\xfe", "x.md", "own")
    assert caught.value.line == 3


def test_windows_line_ends_and_a_byte_order_mark_do_not_matter():
    text = FRONT + "## A\nText.\n"
    assert (
        parse_entry(("\ufeff" + text.replace("\n", "\r\n")).encode(), "a/noise.md").sections
        == parsed("## A\nText.\n").sections
    )


@pytest.mark.parametrize(("extra", "fits"), [(-1, True), (0, True), (1, False)])
def test_the_size_limit_of_a_file_holds_to_the_byte(extra: int, fits: bool):
    data = b"x" * (ENTRY_BYTES + extra)
    if fits:
        parse_entry(data, "x.md", "own")
    else:
        with pytest.raises(ParseProblem, match="bytes"):
            parse_entry(data, "x.md", "own")


HOSTILE = (
    "$", "$$", "$a", "$a\\", "$a\n", "\\$$", "`", "` ``", "[[", "[[a", "[[a|b", "**a", "# a\n", "```\n", "> ", "a-",
    "---\n", "*(", "1. a\n   - [ ] b *(\n", "- [x] ", "|", "\x00", "\u202e", "[[a]]", "\t", "~~~", "1) ", "\n\n",
    "é\u0301",
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_file_full_of_one_hostile_piece_is_read_within_seconds_of_work(piece: str):
    data = ("## Check yourself\n" + piece * ENTRY_BYTES).encode()[:ENTRY_BYTES].decode("utf-8", "ignore").encode()
    began = time.process_time()
    parse_entry(data, "x.md", "own")
    assert time.process_time() - began < 5


PIECES = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=8)), max_size=60).map("".join)


@settings(max_examples=300, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
@given(front=st.one_of(st.just(""), PIECES.map(lambda text: f"---\n{text}\n---\n")), body=PIECES)
@example(front="---\n", body="")
@example(front="---\n? \n---\n", body="")
def test_any_text_is_an_entry_or_a_parse_problem(front: str, body: str):
    data = (front + body).encode("utf-8", "surrogatepass")
    lines = data.count(b"\n") + data.count(b"\r") + 2
    for origin in ("own", "shipped"):
        try:
            entry = parse_entry(data, "x.md", origin)
        except ParseProblem as problem:
            assert 1 <= problem.line <= lines
            continue
        assert entry.title.isprintable()
        assert all(1 <= link.line <= lines for link in entry.links)
        assert all(1 <= section.line <= lines for section in entry.sections)


@settings(max_examples=200, deadline=2000)
@given(st.binary(max_size=400))
def test_any_bytes_are_an_entry_or_a_parse_problem(data: bytes):
    try:
        parse_entry(data, "x.md", "own")
    except ParseProblem as problem:
        assert problem.line >= 1
