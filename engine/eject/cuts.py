"""What of a function is left once nothing starts from another run, nothing is drawn and nothing is validated.

A statement that stores what nobody reads goes; so does a branch for a checkpoint to start from. Torch-free.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from engine.eject.source import Function, is_text

ERRORS = ("DataError", "UsageError", "RunError", "LexigradError")
INPUTS = "self.setting.inputs"
"""The checkpoints to start from; an ejected training has none."""


@dataclass
class Cuts:
    """What goes out of one function, by identity of the nodes."""

    gone: set[int] = field(default_factory=set)
    """Statements."""
    chosen: dict[int, ast.expr] = field(default_factory=dict)
    """Conditional expressions whose outcome is known, and what they come to."""
    fewer: dict[int, list[int]] = field(default_factory=dict)
    """Assignments of several values to several names, and the places of those that stay."""
    closed: bool = False
    """Whether the whole body goes, because it needs what only the product has; the function refuses to be called."""

    @property
    def size(self) -> int:
        """How much goes."""
        return len(self.gone) + len(self.chosen) + sum(1000 - len(places) for places in self.fewer.values())

    def walk(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield what is left below a node, itself first."""
        if id(node) in self.gone:
            return
        if id(node) in self.chosen:
            yield from self.walk(self.chosen[id(node)])
            return
        yield node
        if id(node) in self.fewer and isinstance(node, ast.Assign):
            for each in (node.targets[0], node.value):
                for place in self.fewer[id(node)]:
                    yield from self.walk(parts(each)[place])
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(node, ast.Raise) and (refusal := refusal_of(node)) is not None:
                yield from self.walk(refusal)
                return
            yield from self.walk(child)


def closing(function: Function) -> Cuts:
    """Return the cuts of a function of which the head alone stays."""
    return Cuts(gone={id(node) for node in function.body if not is_text(node)}, closed=True)


def refusal_of(node: ast.Raise) -> ast.expr | None:
    """Return the sentence of what is wrong, where one of our errors is raised."""
    call = node.exc
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ERRORS and call.args:
        return call.args[0]
    return None


def cuts_of(function: Function, is_dead: Callable[[str], bool]) -> Cuts:
    """Return what goes out of a function.

    Args:
        function: of a class or a module.
        is_dead: whether nobody reads an attribute of `self` that the function stores.
    """
    cuts = Cuts()
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    nothing = {
        node.targets[0].id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _is_nothing(node.value, set())
    }
    while True:
        size = cuts.size
        _fold(function, nothing, cuts)
        left = _loaded(function, cuts)
        _cut_block(function.body, cuts, is_dead, used - left)
        if cuts.size == size:
            return cuts


def _loaded(function: Function, cuts: Cuts) -> set[str]:
    return {
        node.id for node in cuts.walk(function) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store)
    }


def _is_nothing(node: ast.expr, nothing: set[str]) -> bool:
    """Whether an expression is the checkpoint to start from, of which there is none."""
    return ast.unparse(node).startswith(f"{INPUTS}.get(") or (isinstance(node, ast.Name) and node.id in nothing)


def _outcome(test: ast.expr, nothing: set[str]) -> bool | None:
    """Return what a condition comes to, None where only the run knows."""
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        empty = isinstance(test.comparators[0], ast.Constant) and test.comparators[0].value is None
        if empty and _is_nothing(test.left, nothing):
            return isinstance(test.ops[0], ast.Is)
        if isinstance(test.ops[0], ast.In) and ast.unparse(test.comparators[0]) == INPUTS:
            return False
    return None


def _fold(function: Function, nothing: set[str], cuts: Cuts) -> None:
    for node in ast.walk(function):
        if isinstance(node, ast.IfExp):
            outcome = _outcome(node.test, nothing)
            if outcome is not None:
                cuts.chosen[id(node)] = node.body if outcome else node.orelse
        elif isinstance(node, ast.If) and not node.orelse and _outcome(node.test, nothing) is False:
            cuts.gone.add(id(node))


def _cut_block(body: list[ast.stmt], cuts: Cuts, is_dead: Callable[[str], bool], unread: set[str]) -> None:
    """Cut the stores out of a block; one of which nothing would be left stays, unless it is an ``if``."""
    for place, node in enumerate(body):
        if id(node) in cuts.gone:
            continue
        for inner in (getattr(node, "body", []), getattr(node, "orelse", [])):
            if isinstance(inner, list) and not isinstance(node, ast.ClassDef):
                _cut_block(inner, cuts, is_dead, unread)
        if isinstance(node, ast.If) and not node.orelse and all(id(each) in cuts.gone for each in node.body):
            cuts.gone.add(id(node))
        else:
            _cut_store(node, cuts, is_dead, unread)
        stored = id(node) in cuts.gone and isinstance(node, ast.Assign | ast.AnnAssign)
        if stored and place + 1 < len(body) and is_text(body[place + 1]):
            cuts.gone.add(id(body[place + 1]))


def _targets(node: ast.stmt) -> list[ast.expr]:
    """Return what a statement stores in."""
    if isinstance(node, ast.Assign):
        return [each for target in node.targets for each in parts(target)]
    return parts(node.target) if isinstance(node, ast.AnnAssign | ast.AugAssign) else []


def parts(target: ast.expr) -> list[ast.expr]:
    """Return the targets, or values, of an assignment one by one."""
    return list(target.elts) if isinstance(target, ast.Tuple | ast.List) else [target]


def _cut_store(node: ast.stmt, cuts: Cuts, is_dead: Callable[[str], bool], unread: set[str]) -> None:
    """Cut what a statement stores and nobody reads: all of it, or some of several values."""
    targets = _targets(node)
    stays = [place for place, target in enumerate(targets) if not _is_unread(target, is_dead, unread)]
    if targets and not stays:
        cuts.gone.add(id(node))
    elif isinstance(node, ast.Assign) and len(node.targets) == 1 and len(stays) < len(targets):
        same = isinstance(node.value, ast.Tuple) and len(node.value.elts) == len(targets)
        if same and not any(isinstance(each, ast.Starred) for each in ast.walk(node)):
            cuts.fewer[id(node)] = stays


def _is_unread(target: ast.expr, is_dead: Callable[[str], bool], unread: set[str]) -> bool:
    if isinstance(target, ast.Attribute):
        return ast.unparse(target.value) == "self" and is_dead(target.attr)
    return isinstance(target, ast.Name) and target.id in unread
