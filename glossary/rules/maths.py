"""Formulas: only the LaTeX that the terminal draws, braces balanced, nothing left open."""

from __future__ import annotations

import re

from glossary.model import Entry
from glossary.prose import formulas, line_at, without_code
from glossary.rules.base import Findings, Inquiry, problem

_GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho sigma tau "
    "upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell"
)
_OTHERS = (
    "frac sqrt sum prod int log ln exp max min arg sin cos tanh odot cdot times top in to le ge ne approx sim propto "
    "infty partial nabla left right lVert rVert mid ldots cdots text mathrm mathbf mathbb mathcal hat bar tilde vec "
    "quad begin end"
)
MACROS = frozenset([*_GREEK.split(), *_OTHERS.split()])
MARKS = frozenset(",{}\\%|")
"""What may follow a backslash by itself: a thin space, braces, the end of a matrix row, per cent, a norm's bar."""
ENVIRONMENTS = frozenset(["matrix", "pmatrix", "bmatrix", "cases"])
_MACRO = re.compile(r"\\([A-Za-z]+|.)", re.DOTALL)


def check_formulas(entry: Entry, inquiry: Inquiry) -> Findings:
    """Yield macros and environments that cannot be drawn, and braces that do not match."""
    for section in entry.sections:
        text = without_code(section.text)
        for start, _, latex, _ in formulas(text):
            line = line_at(section.text, start, section.first_line)
            for fault in faults(latex):
                yield problem(entry, line, f"In a formula: {fault}.")


def faults(latex: str) -> list[str]:
    """Return what is wrong with a formula, in words."""
    found = [f"\\{macro} is not in the subset" for macro in _MACRO.findall(latex) if macro not in MACROS | MARKS]
    environments = set(re.findall(r"\\(?:begin|end)\{([^}]*)\}", latex)) - ENVIRONMENTS
    found += [f"the environment '{environment}' is not in the subset" for environment in sorted(environments)]
    bare = re.sub(r"\\[{}\\]", "", latex)
    depth = 0
    for each in bare:
        depth += (each == "{") - (each == "}")
        if depth < 0:
            break
    if depth:
        found.append("the braces do not match")
    for first, last in (("begin", "end"), ("left", "right")):
        if len(re.findall(rf"\\{first}\b", latex)) != len(re.findall(rf"\\{last}\b", latex)):
            found.append(f"\\{first} and \\{last} do not match")
    return found
