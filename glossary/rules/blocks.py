"""Python blocks of shipped entries: each runs in a child with the standard library alone, and asserts what it says."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tempfile

from glossary.model import Block, Entry
from glossary.rules.base import Findings, Inquiry, problem

SECONDS = 10.0
LONGEST = 30


def check_blocks(entry: Entry, inquiry: Inquiry) -> Findings:
    """Yield blocks that are not closed, do not parse, assert nothing or import what is not standard; nothing is run."""
    for block in entry.blocks:
        if not block.closed:
            yield problem(entry, block.line - 1, "The code block is never closed.")
        if not block.language:
            yield problem(entry, block.line - 1, "Say the language of a code block (```python, ```text).", "warning")
        if block.language == "python":
            yield from _python(entry, block)
    worked = entry.section("Worked example")
    if worked is not None and not any(
        block.line > worked.line and block.language == "python" for block in entry.blocks
    ):
        yield problem(entry, worked.line, "A worked example has a ```python block.")


def _python(entry: Entry, block: Block) -> Findings:
    try:
        tree = ast.parse(block.text)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        yield problem(entry, block.line + line - 1, f"No Python: {error.args[0]}.")
        return
    if not any(isinstance(node, ast.Assert) for node in ast.walk(tree)):
        yield problem(entry, block.line, "The block asserts nothing.")
    if block.text.count("\n") + 1 > LONGEST:
        yield problem(entry, block.line, f"The block is longer than {LONGEST} lines.", "warning")
    for node in ast.walk(tree):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for module in modules:
            if module.partition(".")[0] not in sys.stdlib_module_names:
                line = block.line + getattr(node, "lineno", 1) - 1
                yield problem(entry, line, f"'{module}' is not in the standard library.")


def run_blocks(entry: Entry, seconds: float = SECONDS) -> Findings:
    """Run the Python blocks of a shipped entry, one after another in one child, and yield how they failed.

    A user's own entry is never executed.
    """
    blocks = [block for block in entry.blocks if block.language == "python"]
    if entry.origin != "shipped" or not blocks:
        return
    source = ""
    for block in blocks:
        source += "\n" * (block.line - 1 - source.count("\n")) + block.text + "\n"
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-S", "-c", source],
                cwd=folder, env={}, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            yield problem(entry, blocks[0].line, f"The Python blocks ran longer than {seconds:g} seconds.")
            return
    if done.returncode != 0:
        trace = done.stderr.decode("utf-8", "replace").strip().splitlines()
        lines = [int(found[1]) for line in trace if (found := re.match(r'  File "<string>", line (\d+)', line))]
        yield problem(
            entry,
            lines[0] if lines else blocks[0].line,
            f"The block failed: {trace[-1] if trace else done.returncode}.",
        )
