"""Formulas: what they look like, that all shipped ones can be set, that none is too wide or too much."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from rich.cells import cell_len

from glossary.library import Library
from glossary.prose import formulas, without_code
from glossary.rules.maths import MACROS
from tui.render.maths import FormulaProblem, check, display, inline
from tui.render.maths_symbols import MATRICES

GOLDEN = Path(__file__).with_name("formulas.txt")


def shipped() -> list[str]:
    found = {
        latex
        for entry in Library.load().entries.values()
        for section in entry.sections
        for _, _, latex, _ in formulas(without_code(section.text))
    }
    return sorted(found)


def golden() -> list[tuple[str, str, list[str]]]:
    """Return the formulas of the golden file: LaTeX, the line of text, the displayed rows."""
    blocks = GOLDEN.read_text("utf-8").strip("\n").split("\n\n% ")
    cases = []
    for block in blocks:
        latex, line, *rows = block.removeprefix("% ").split("\n")
        cases.append((latex, line.removeprefix("= "), [row.removeprefix("| ").rstrip("|") for row in rows]))
    return cases


def test_formulas_look_as_they_were_approved():
    cases = golden()
    assert len(cases) > 150
    for latex, line, rows in cases:
        assert inline(latex) == line, latex
        assert list(display(latex, 80)) == rows, latex


def test_every_shipped_formula_can_be_set():
    found = shipped()
    assert len(found) > 100
    for latex in found:
        check(latex)


@pytest.mark.parametrize("width", [20, 23, 31, 40, 57, 76, 88, 200])
def test_no_row_of_a_shipped_formula_is_wider_than_the_page(width):
    for latex in shipped():
        assert max(map(cell_len, display(latex, width))) <= width, latex


def test_everything_that_writers_may_use_is_known():
    constructs = {"frac": r"\frac{a}{b}", "sqrt": r"\sqrt[3]{x}", "left": "", "right": "", "begin": "", "end": ""}
    for macro in MACROS:
        check(constructs.get(macro, rf"\{macro}{{x}}"))
    for name in MATRICES:
        columns = "{ll}" if name == "array" else ""
        check(rf"\left( \begin{{{name}}}{columns} a & b \\ c & d \end{{{name}}} \right)")


@pytest.mark.parametrize(
    ("latex", "shown"),
    [
        ("h_{t-1}", "hₜ₋₁"),
        ("h_{t,1}", "h_(t,1)"),
        ("W_Q", "W_Q"),
        (r"\ell_{\text{new}}", "ℓ_new"),
        (r"x^{0.5}", "x^0.5"),
        (r"\frac{a + b}{c}", "(a + b)/c"),
        (r"\frac{1}{p(w) p(c)}", "1/(p(w) p(c))"),
        (r"\frac{\partial L}{\partial h}", "∂L/∂h"),
        (r"\frac{\alpha}{r} B", "(α/r) B"),
        (r"\sqrt{1 - x}", "√(1 − x)"),
        (r"-\log x", "−log x"),
        (r"a - b", "a − b"),
        (r"\hat{y}", "ŷ"),
        (r"f''(x)", "f′′(x)"),
        (r"\mathbf{W}x", "𝐖x"),
        (r"\mathbb{R}^{d}", "ℝᵈ"),
        (r"50\%", "50%"),
    ],
)
def test_a_formula_in_the_text_reads_as_mathematicians_write(latex, shown):
    assert inline(latex) == shown


def test_displayed_parts_are_stacked_on_one_baseline():
    assert display(r"a = \frac{x + 1}{2}", 40) == ("    x + 1", "a = ─────", "      2")
    assert display(r"\sum_{i=1}^{n} x_i", 40) == (" n", " ∑  xᵢ", "i=1")
    assert display(r"\begin{cases} 1 & x > 0 \\ 0 & \text{else} \end{cases}", 40) == ("⎰ 1  x > 0", "⎱ 0  else")


def test_a_formula_without_room_is_broken_before_an_operator_and_at_last_written_on_a_line():
    sides = r"\text{left side} = \text{right side} + \text{remainder}"
    assert display(sides, 26) == ("left side = right side", "  + remainder")
    assert all(cell_len(row) <= 7 for row in display(r"\frac{aaaaaaaaaaaaaa}{b}", 7))


@pytest.mark.parametrize(
    ("latex", "problem"),
    [
        (r"\unheard{x}", "not known"),
        ("{x", "missing"),
        ("x}", "no beginning"),
        (r"\left( x", "no '"),
        (r"\begin{bmatrix} x", "early"),
        (r"\begin{tikz}\end{tikz}", "not known"),
        ("x^1^2", "Two"),
        ("x_", "early"),
        ("{" * 40 + "}" * 40, "deep"),
        ("x" * 3_000, "characters"),
    ],
)
def test_what_cannot_be_set_is_named_by_the_check_and_shown_as_written_on_the_page(latex, problem):
    with pytest.raises(FormulaProblem, match=problem):
        check(latex)
    assert inline(latex) == latex
    assert "".join(display(latex, 4_000)) == latex


def test_no_formula_takes_long_or_brings_control_characters():
    bombs = [
        r"\frac{" * 20 + "1" + "}{x}" * 20,
        "x^{" * 20 + "}" * 20,
        "a+" * 900,
        r"\left(" * 20 + r"\right)" * 20,
        "\\" * 2_000,
        "x\x1b]0;title\x07",
        r"\text{" + "\u202e" * 50 + "}",
    ]
    start = time.thread_time()
    for latex in bombs:
        rows = (inline(latex), *display(latex, 60))
        assert not any(ord(each) < 32 or each == "\u202e" for row in rows for each in row)
    assert time.thread_time() - start < 2
