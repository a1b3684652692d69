"""Targets outside the glossary: runs, labs, playgrounds and code. Promised ones are counted as coming."""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

from glossary.known import FAMILIES, PACKAGES, Status
from glossary.model import Entry
from glossary.rules.base import Findings, Inquiry, at_key


def check_runs(entry: Entry, inquiry: Inquiry) -> Findings:
    """Yield runs of an unknown family or preset, or with a knob that the family does not have."""
    for run in entry.run:
        words = run.split()
        family, slash, preset = words[0].partition("/") if words else ("", "", "")
        if not slash:
            yield at_key(entry, "run", f"'{run}' is not of the form family/preset knob=value.")
            continue
        yield from _count(entry, inquiry, "run", words[0], inquiry.known.preset(family, preset))
        knobs = inquiry.known.knobs.get(family)
        for word in words[1:]:
            knob, equals, value = word.partition("=")
            if not equals or not value:
                yield at_key(entry, "run", f"'{word}' is not of the form knob=value.")
            elif knobs is not None and knob not in knobs and knob != "from":
                yield at_key(entry, "run", f"{family} has no knob '{knob}'.")


def check_labs(entry: Entry, inquiry: Inquiry) -> Findings:
    """Yield labs and playgrounds that neither exist nor are promised, and claims without words."""
    if entry.lab:
        yield from _count(entry, inquiry, "lab", entry.lab, inquiry.known.lab(entry.lab))
    if entry.play:
        yield from _count(entry, inquiry, "play", entry.play, inquiry.known.play(entry.play))
    for claim in entry.claims:
        yield from _count(entry, inquiry, "claims", claim.lab, inquiry.known.lab(claim.lab))
        if not claim.says.strip().endswith("."):
            yield at_key(entry, "claims", f"'{claim.says}' is no sentence with a period.")
        judged = inquiry.known.labs.get(claim.lab)
        if judged is None:
            continue
        if claim.id not in judged:
            ids = ", ".join(judged)
            yield at_key(entry, "claims", f"the lab {claim.lab} judges no '{claim.id}'; it judges {ids}.")
        elif claim.says != judged[claim.id]:
            yield at_key(entry, "claims", f"the lab {claim.lab} words '{claim.id}' as: {judged[claim.id]}")


def _count(entry: Entry, inquiry: Inquiry, key: str, target: str, status: Status) -> Findings:
    if status == "coming":
        inquiry.coming["lab" if key == "claims" else key] += 1
    elif status == "unknown":
        yield at_key(entry, key, f"there is no '{target}', and none is promised.")


def check_code(entry: Entry, inquiry: Inquiry) -> Findings:
    """Yield a ``code:`` target that names no function or class of a file that is there."""
    if not entry.code:
        return
    module, colon, name = entry.code.partition(":")
    parts = module.split(".")
    if not colon or not all(part.isidentifier() for part in [*parts, *name.split(".")]):
        yield at_key(entry, "code", f"'{entry.code}' is not of the form package.module:Name.")
        return
    if inquiry.known.root is None:
        return
    file = inquiry.known.root.joinpath(*parts).with_suffix(".py")
    if not file.is_file():
        if _promised(parts):
            inquiry.coming["code"] += 1
        else:
            yield at_key(entry, "code", f"there is no {module}, and none is promised.")
    elif name not in defined(file):
        yield at_key(entry, "code", f"{module} defines no '{name}'.")


def _promised(parts: list[str]) -> bool:
    if parts[0] != "engine" or len(parts) < 3 or parts[1] not in PACKAGES:
        return False
    return parts[1] != "families" or parts[2].replace("_", "-") in FAMILIES


@lru_cache(maxsize=256)
def defined(file: Path) -> frozenset[str]:
    """Return the names that a file defines at its top and in its classes (``Class.method``); it is read, not run."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return frozenset()
    return frozenset(_names(tree.body, ""))


def _names(body: list[ast.stmt], prefix: str) -> list[str]:
    names: list[str] = []
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.append(prefix + node.name)
        if isinstance(node, ast.ClassDef):
            names += _names(node.body, f"{prefix}{node.name}.")
        if isinstance(node, ast.Assign):
            names += [prefix + target.id for target in node.targets if isinstance(target, ast.Name)]
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.append(prefix + node.target.id)
    return names
