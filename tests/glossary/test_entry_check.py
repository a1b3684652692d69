"""Each rule of the check: an entry that is right passes, and one change that makes it wrong is named by line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from glossary.check import Report, check, main
from glossary.known import KnownNames
from glossary.library import Library
from glossary.model import Problem
from glossary.parse import parse_entry
from glossary.rules import blocks

PATH = "network-building-blocks/softmax.md"
FILLER = "It turns scores into shares that add up to one, and the largest score gets the largest share of them all. "
ENTRY = f"""---
title: Softmax
aliases: [soft maximum]
topic: network-building-blocks
kind: technique
level: 1
one_line: It turns any list of scores into shares that add up to one.
needs: [neural-network]
related: [logits, temperature]
run: mlp/quick depth=2
lab: attention
play: gpt/complete
code: engine.families.mlp.model:MLP
claims:
  - {{says: "Shares add up to one.", lab: attention, id: one}}
sources: ["Bridle 1990, Training Stochastic Model Recognition Algorithms as Networks"]
---

## In one sentence
{FILLER}

## Why it matters
{FILLER * 3}

## How it works
{FILLER * 3} See [[logits]] and [[relu|rectifiers]].

## Worked example
```python
from math import exp
assert exp(0) == 1
```

## The maths
$$ \\frac{{e^x}}{{\\sum_j e^{{x_j}}}} $$

## In practice
{FILLER * 3}

## Try it
Press `r`.

## Common mistakes
- **One.** Cause, fix.
- **Two.** Cause, fix.
- **Three.** Cause, fix.

## Softmax against sigmoid
{FILLER * 3}

## FAQ
**Why?** Because.

## Check yourself
1. Which?
   - [ ] This. *(No: it is not this.)*
   - [x] That. *(Yes: that is it.)*
   - [ ] Those. *(No: one is enough.)*
2. And now?
   - [x] That. *(Yes: that is it.)*
   - [ ] This. *(No: it is not this.)*
   - [ ] Those. *(No: one is enough.)*

## Further reading
Bridle 1990.
"""
KNOWN = KnownNames(
    presets={"mlp": frozenset(("quick",))},
    knobs={"mlp": frozenset(("depth",))},
    labs={"attention": {"one": "Shares add up to one."}},
)


def report(text: str, path: str = PATH, known: KnownNames = KNOWN, others: tuple[tuple[str, str], ...] = ()) -> Report:
    entries = [parse_entry(each.encode(), where) for where, each in ((path, text), *others)]
    return check(Library(entries), known, run_blocks=False)


def problems(text: str, **more: object) -> list[Problem]:
    return [each for each in report(text, **more).problems if each.path == PATH]  # type: ignore[arg-type]


def test_an_entry_that_is_right_has_no_problem():
    assert problems(ENTRY) == []


def test_targets_that_are_only_promised_are_counted_not_refused():
    assert report(ENTRY).coming == {"entry": 5, "play": 1}


def replaced(old: str, new: str) -> Callable[[], str]:
    assert old in ENTRY, old
    return lambda: ENTRY.replace(old, new, 1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("title: Softmax\n", "", "title: this key is missing"),
        ("topic: network-building-blocks", "topic: evaluation", "the taxonomy says 'network-building-blocks'"),
        ("level: 1", "level: 3", "the taxonomy says 1"),
        ("kind: technique", "kind: trick", "'trick' is none of"),
        ("add up to one.\nneeds", "add up to one\nneeds", "ends with a period"),
        ("one_line: It", "one_line: " + "It really " * 12 + "it", "at most 110"),
        ("aliases: [soft maximum]", "aliases: [model]", "everyday word"),
        ("Bridle 1990, Training", "Bridle, Training", "has no year"),
        ("needs: [neural-network]", "needs: [neural-netwrok]", "Did you mean 'neural-network'?"),
        ("needs: [neural-network]", "needs: [softmax]", "names itself"),
        ("related: [logits, temperature]", "related: [logits, logits]", "twice"),
        ("run: mlp/quick depth=2", "run: mlp", "not of the form family/preset"),
        ("run: mlp/quick depth=2", "run: mpl/quick", "there is no 'mpl/quick'"),
        ("run: mlp/quick depth=2", "run: mlp/quick dpeth=2", "mlp has no knob 'dpeth'"),
        ("run: mlp/quick depth=2", "run: mlp/quick depth", "not of the form knob=value"),
        ("lab: attention\nplay", "lab: atention\nplay", "there is no 'atention'"),
        ("play: gpt/complete", "play: gpt/fly", "there is no 'gpt/fly'"),
        ("code: engine.families.mlp.model:MLP", "code: engine/mlp", "package.module:Name"),
        ("up to one.\", lab", "up to one\", lab", "no sentence with a period"),
        ("Shares add", "Weights add", "words 'one' as: Shares add up to one."),
        ("id: one", "id: two", "judges no 'two'; it judges one."),
        ("## Why it matters", "## Why does it matter", "Unknown heading"),
        ("## Why it matters", "## In one sentence", "stands here twice"),
        ("## FAQ\n**Why?** Because.\n", "## FAQ\n", "is empty"),
        ("## Try it\nPress `r`.\n", "", "'Try it' is missing"),
        ("## In practice", "## Career relevance", "'In practice' is missing"),
        ("## The maths", "## Career relevance", "'In practice' has to stand before 'Career relevance'"),
        ("- **Three.** Cause, fix.\n", "", "2 common mistakes, at least 3"),
        ("See [[logits]]", "See [[logit]]", "[[logit]] leads nowhere"),
        ("See [[logits]]", "See [[softmax]]", "links the entry to itself"),
        ("[x] That. *(Yes: that is it.)*\n   - [ ] Those", "[ ] That. *(No.)*\n   - [ ] Those", "0 right answers"),
        ("- [ ] This. *(No: it is not this.)*", "- [ ] This.", "no explanation"),
        ("*(No: it is not this.)*", "*(No.)*", "explains nothing"),
        ("   - [ ] Those. *(No: one is enough.)*\n2", "2", "2 choices; a question has 3"),
        ("2. And now?", "   And now?", "6 choices"),
        ("assert exp(0) == 1", "exp(0)", "asserts nothing"),
        ("from math import exp", "from numpy import exp", "'numpy' is not in the standard library"),
        ("assert exp(0) == 1", "assert exp(0 == 1", "No Python"),
        ("assert exp(0) == 1\n```", "assert exp(0) == 1", "never closed"),
        ("\\sum_j", "\\underset_j", "\\underset is not in the subset"),
        ("{\\sum_j e^{x_j}}", "{\\sum_j e^{x_j}", "braces do not match"),
        ("\\sum_j e", "\\begin{align} e", "environment 'align'"),
        ("Because.", "Because \N{EM DASH} so.", "An em-dash"),
        ("Because.", "Because\u200b.", "U+200B"),
    ],
)  # fmt: skip
def test_one_wrong_thing_is_an_error(old: str, new: str, said: str):
    found = problems(replaced(old, new)())
    assert any(said in each.text and each.level == "error" for each in found), [str(each) for each in found]
    assert problems(ENTRY) == []


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ("Because of its behaviour.", "'behaviour' is not American"),
        ("It is optimised.", "'optimised' is not American"),
        ("Let us delve into it.", "says nothing"),
        ("Today all use it.", "'Today' ages"),
        ("Write <bos> first.", "would vanish as HTML"),
    ],
)
def test_language_that_a_person_should_look_at_is_a_warning(new: str, said: str):
    found = problems(ENTRY.replace("Because.", new))
    assert [(said in each.text, each.level) for each in found] == [(True, "warning")]


def test_a_dated_fact_may_say_today():
    assert problems(ENTRY.replace("Because.", "Today (2026) all use it.")) == []


def test_a_problem_names_the_line():
    found = problems(ENTRY.replace("Because.", "Because \N{EM DASH} so."))
    assert found[0].line == ENTRY[: ENTRY.index("Because.")].count("\n") + 1
    assert str(found[0]).startswith(f"{PATH}:{found[0].line}: error: ")


def other(related: str = "softmax", needs: str = "") -> tuple[str, str]:
    text = f"---\ntitle: Temperature\naliases: [heat]\nrelated: [{related}]\nneeds: [{needs}]\n---\n## FAQ\n**Q?** A.\n"
    return "decoding-and-prompting/temperature.md", text


def test_relations_are_two_way():
    assert problems(ENTRY, others=(other(),)) == []
    found = problems(ENTRY, others=(other("logits"),))
    assert "does not name softmax as related in return" in found[0].text


def test_needs_are_no_ring():
    text = ENTRY.replace("needs: [neural-network]", "needs: [temperature]")
    found = report(text, others=(other(needs="softmax"),)).problems
    assert any("a ring: " in each.text for each in found)


def test_an_alias_means_one_entry():
    text = ENTRY.replace("aliases: [soft maximum]", "aliases: [heat]")
    assert any("'heat' also means" in each.text for each in report(text, others=(other(),)).problems)


def test_the_first_use_of_a_term_in_a_section_is_a_link():
    for text, wrong in (
        ("A temperature helps.", True),
        ("A [[temperature]] helps; the temperature is low.", False),
        ("The heat is low; a [[temperature]] helps.", True),
        ("**Temperature.** It is `temperature`.", False),
    ):
        found = problems(ENTRY.replace("Because.", text), others=(other(),))
        assert (
            any("is not a link to [[temperature]] at its first use in FAQ" in each.text for each in found) == wrong
        ), text


def test_code_targets_are_looked_up_without_being_run(tmp_path: Path):
    module = tmp_path / "engine" / "families" / "mlp" / "model.py"
    module.parent.mkdir(parents=True)
    module.write_text("raise SystemExit\nclass MLP:\n    def forward(self): ...\n")
    known = KnownNames(presets=KNOWN.presets, labs=KNOWN.labs, root=tmp_path)
    assert problems(ENTRY, known=known) == []
    assert problems(ENTRY.replace("model:MLP", "model:MLP.forward"), known=known) == []
    assert "defines no 'GPT'" in problems(ENTRY.replace("model:MLP", "model:GPT"), known=known)[0].text
    assert report(ENTRY.replace("families.mlp", "families.bert"), known=known).coming["code"] == 1
    assert "none is promised" in problems(ENTRY.replace("families.mlp", "families.perceiver"), known=known)[0].text


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("assert True", ""),
        ("x = 1\nassert x == 2", "AssertionError"),
        ("import torch; assert torch", "ModuleNotFoundError"),
        ("import os; assert not os.environ.get('HOME')", ""),
        ("while True: pass", "longer than"),
    ],
)
def test_python_blocks_run_alone_with_the_standard_library(code: str, said: str):
    entry = parse_entry(ENTRY.replace("from math import exp\nassert exp(0) == 1", code).encode(), PATH)
    found = list(blocks.run_blocks(entry, seconds=2.0))
    assert bool(found) == bool(said)
    assert all(said in each.text for each in found)


def test_a_failing_block_is_named_by_the_line_of_the_entry():
    text = ENTRY.replace("assert exp(0) == 1", "assert exp(0) == 2")
    found = list(blocks.run_blocks(parse_entry(text.encode(), PATH)))
    assert found[0].line == ENTRY[: ENTRY.index("assert exp")].count("\n") + 1


def test_code_of_own_entries_is_never_executed(tmp_path: Path):
    mark = tmp_path / "mark"
    text = f"# Mine\n```python\nopen({str(mark)!r}, 'w')\n```\nSee [[nothing]].\n"
    found = check(Library([parse_entry(text.encode(), "mine.md", "own")]), KNOWN)
    assert not mark.exists()
    assert [(each.level, each.text) for each in found.problems] == [("warning", "[[nothing]] leads nowhere.")]


def test_the_command_prints_problems_and_ends_with_the_right_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("glossary.check.read_walkthroughs", lambda: ((), ()))
    monkeypatch.setattr(Library, "load", lambda: Library([parse_entry(ENTRY.encode(), PATH)]))
    assert main([]) == 0
    assert "1 entries, 0 errors, 0 warnings" in capsys.readouterr().out
    broken = Library([parse_entry(ENTRY.replace("kind: technique", "kind: trick").encode(), PATH)])
    monkeypatch.setattr(Library, "load", lambda: broken)
    assert main(["softmax"]) == 1
    assert "'trick' is none of" in capsys.readouterr().out
