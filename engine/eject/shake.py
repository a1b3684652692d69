"""Which definitions and methods a training needs: those that it ran, and all that those name. Torch-free.

Names are followed through the modules by their syntax trees. Methods are not named but asked of objects; what was seen
to run decides there, and what is asked of `self`, of ``super()`` and of a class by its name.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.core.errors import UsageError
from engine.eject.cuts import Cuts, closing, cuts_of
from engine.eject.modules import ERRORS_MODULE, Key, Modules
from engine.eject.source import Function, Source

LEARNER = ("engine.train.learner", "Learner")
SPEC_MODULE = "engine.core.spec"
CLOSED = ("engine.core", "engine.catalog", "engine.play", "engine.data.table", "engine.data.load", "engine.data.files",
          "engine.data.fetch")  # fmt: skip
"""What an ejected folder cannot have: files of the product, its table of data sets, its events."""


class Closed(Exception):
    """A function that did not run needs what only the product has: it is kept as a head, and all is followed anew."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a training as it ran."""

    ran: frozenset[tuple[str, str]]
    """Module and qualified name of every function of the engine that ran."""
    common: frozenset[str]
    """Names that tensors, modules and containers answer to as well, which say nothing about who is asked."""


@dataclass(kw_only=True)
class Shaken(Modules):
    """What is kept, and what those parts read."""

    seen: Seen
    model: str
    """The module that stays as it is."""
    knobs: frozenset[str]
    roots: frozenset[Key]
    data: frozenset[Key]
    """The records that the data are made of; fields that nobody reads are left out of them."""
    loads: set[str] = field(default_factory=set)
    """Attributes that somebody reads, whoever is asked."""
    kept: set[Key] = field(default_factory=set)
    heads: set[tuple[str, str]] = field(default_factory=set)
    """Module and qualified name of functions of which the head alone is kept."""
    dropped: set[tuple[str, str]] = field(default_factory=set)
    """Methods that are left out, though somebody might ask for them."""
    _asked: set[tuple[Key, str]] = field(default_factory=set)
    """Class and attribute of what is read from `self`, or from the class by its name."""
    _above: set[tuple[Key, str]] = field(default_factory=set)
    """Class and attribute of what is read from ``super()``."""
    _wild: set[str] = field(default_factory=set)
    """Attributes that are read from something of which only the run knows what it is."""
    _wild_in_model: set[str] = field(default_factory=set)
    """The same of the model's file, of which nothing asks the learner."""
    _stored: set[str] = field(default_factory=set)

    def shake(self) -> None:
        """Follow the names until nothing new is found.

        Raises:
            UsageError: something that ran cannot leave the product.
        """
        given = set(self.loads)
        while True:
            try:
                self._shake()
                return
            except Closed:
                self.loads = set(given)
                for found in (
                    self.kept, self._asked, self._above, self._wild, self._wild_in_model, self._stored,
                ):  # fmt: skip
                    found.clear()

    def _shake(self) -> None:
        for root in self.roots:
            self.kept.add(root)
        if self.model not in self.sources:
            self.source(self.model)
        for name in self.source(self.model).definitions:
            self.kept.add((self.model, name))
        size = -1
        while size != (size := len(self.kept) + len(self.loads) + len(self._asked) + len(self._above)):
            for module, name in sorted(self.kept):
                self._follow(module, self.source(module).definitions[name])

    def read(self, loop: Source) -> None:
        """Note what the loop reads of the learner and of the knobs."""
        self.loads |= {
            node.attr
            for node in ast.walk(loop.tree)
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load)
        }

    def is_closed(self, module: str) -> bool:
        """Whether a module cannot come along: of the product, of another family, or of a package beside torch."""
        if not module.startswith("engine."):
            return module.partition(".")[0] not in ("torch", *sys.stdlib_module_names)
        home = self.spec[0].rpartition(".")[0]
        other = module.startswith("engine.families.") and not module.startswith(f"{home}.")
        return other or any(module == each or module.startswith(f"{each}.") for each in CLOSED)

    def _refuse(self, name: str, module: str, home: tuple[str, str]) -> None:
        """Give up the function that wants what is closed.

        Raises:
            Closed: it did not run, and is known as a head from now on.
            UsageError: it ran.
        """
        if home[1] and home not in self.seen.ran and home not in self.dropped:
            # The head first; where even that names what is closed, a method goes as a whole.
            if home not in self.heads:
                self.heads.add(home)
                raise Closed
            if "." in home[1]:
                self.dropped.add(home)
                raise Closed
        raise UsageError(
            f"The training needs {name} of {module} (in {home[0]}), which is more than torch.",
            "Use `lexigrad eject NAME --learner` for a file that builds on the engine.",
        )

    def cuts(self, module: str, node: Function, owner: Key | None = None) -> Cuts:
        """Return what goes out of a function, a method where it has an owner."""
        if qualified(module, node, owner) in self.heads:
            return closing(node)
        if module == self.model:
            return Cuts()
        networks = owner is not None and self.is_module(owner)
        return cuts_of(node, lambda name: not networks and name not in self.loads)

    # Following

    def _follow(self, module: str, node: ast.stmt) -> None:
        if isinstance(node, ast.ClassDef):
            self._follow_class(module, node)
        elif isinstance(node, Function):
            self._take(qualified(module, node), self.cuts(module, node).walk(node), None)
        else:
            self._take((module, ""), ast.walk(node), None)

    def _follow_class(self, module: str, node: ast.ClassDef) -> None:
        key = (module, node.name)
        merged = key == self.spec
        for part in [*node.decorator_list, *([] if merged else node.bases)]:
            self._take((module, ""), ast.walk(part), key)
        for member in [] if merged else node.body:
            if not isinstance(member, Function) and self.keeps_statement(key, member):
                self._take((module, ""), ast.walk(member), key)
        for home, method in self.methods(key):
            self._take(qualified(home, method, key), self.cuts(home, method, key).walk(method), key)

    def _take(self, home: tuple[str, str], nodes: Iterable[ast.AST], owner: Key | None) -> None:
        """Note what some nodes name and read; `home` is the module and the function that they stand in, if any."""
        module = home[0]
        for node in nodes:
            if isinstance(node, ast.Name):
                self._take_name(home, node.id)
            elif isinstance(node, ast.ImportFrom | ast.Import):
                self._take_import(home, node)
            elif isinstance(node, ast.Attribute):
                self._take_attribute(module, node, owner)
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "getattr" and len(node.args) > 1:
                asked = node.args[1]
                if isinstance(asked, ast.Constant):
                    self.loads.add(str(asked.value))

    def _take_name(self, home: tuple[str, str], name: str) -> None:
        module = home[0]
        if self.module_named(module, name):
            return
        given = self.source(module).imports.get(name)
        found = self.resolve(module, name)
        if found is not None:
            if self.is_closed(found[0]):
                self._refuse(name, found[0], home)
            self.kept.add(found)
        elif given is not None and given.module != ERRORS_MODULE and self.is_closed(given.module):
            self._refuse(name, given.module, home)

    def _take_import(self, home: tuple[str, str], node: ast.Import | ast.ImportFrom) -> None:
        """Follow an import inside of a function."""
        modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names]
        for module in modules:
            if self.is_closed(module):
                self._refuse(node.names[0].name, module, home)
            if module.startswith("engine."):
                self.kept |= {(module, alias.name) for alias in node.names}

    def _take_attribute(self, module: str, node: ast.Attribute, owner: Key | None) -> None:
        if isinstance(node.ctx, ast.Store):
            self._stored.add(node.attr)
            return
        asked = node.value
        if isinstance(asked, ast.Name) and asked.id in ("self", "cls") and owner is not None:
            self._asked.add((owner, node.attr))
        elif isinstance(asked, ast.Call) and ast.unparse(asked.func) == "super" and owner is not None:
            self._above.add((owner, node.attr))
        elif isinstance(asked, ast.Name) and (other := self.module_named(module, asked.id)):
            if self.is_closed(other):
                self._refuse(node.attr, other, (module, ""))
            self.kept.add((other, node.attr))
            return
        elif isinstance(asked, ast.Name) and (key := self.resolve(module, asked.id)) is not None:
            self._asked.add((key, node.attr))
        else:
            (self._wild_in_model if module == self.model else self._wild).add(node.attr)
        self.loads.add(node.attr)

    # What a class keeps

    def methods(self, key: Key) -> list[tuple[str, Function]]:
        """Return the methods that a class keeps, each with its module; a spec and those above it are one class."""
        found: dict[str, tuple[str, Function]] = {}
        for module, name in self._order(key) if key == self.spec else [key]:
            node = self.source(module).definitions[name]
            assert isinstance(node, ast.ClassDef)
            for member in node.body:
                if isinstance(member, Function) and self.keeps_method((module, name), member):
                    found.setdefault(member.name, (module, member))
        return list(found.values())

    def _order(self, key: Key) -> list[Key]:
        """Return a spec and the specs above it, the nearest first; what all specs have is not among them."""
        above = [each for each in self.lineage(key) if each[0] != SPEC_MODULE]
        return sorted(above, key=lambda each: (-len(self.lineage(each)), each))

    def keeps_statement(self, key: Key, node: ast.stmt) -> bool:
        """Whether a class keeps a statement of its body: attributes that nobody reads go, except those of records."""
        module, name = key
        owner = self.source(module).definitions[name]
        assert isinstance(owner, ast.ClassDef)
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        named = [each.id for each in targets if isinstance(each, ast.Name)]
        record = owner.decorator_list or any(ast.unparse(base).endswith(("Tuple", "Enum")) for base in owner.bases)
        is_data = key in self.data
        if module == self.model or not named or (record and not is_data):
            return True
        return any(each in self.loads for each in named)

    def keeps_method(self, key: Key, node: Function) -> bool:
        """Whether a class keeps a method."""
        module, name = key
        asked = node.name
        in_spec = key in self.lineage(self.spec)
        if (module, f"{name}.{asked}") in self.dropped:
            return False
        if in_spec and (asked.startswith("__") or asked in self.knobs):
            return False
        if module == self.model or asked.startswith("__") or (module, f"{name}.{asked}") in self.seen.ran:
            return True
        mine = self.spec if in_spec else key
        for other, attribute in self._asked:
            if attribute == asked and (other in self.lineage(mine) or mine in self.lineage(other)):
                return True
        if any(attribute == asked and key in self.lineage(other) - {other} for other, attribute in self._above):
            return True
        wild = self._wild if LEARNER in self.lineage(key) else self._wild | self._wild_in_model
        return asked in wild and self._is_plausible(key, asked)

    def _is_plausible(self, key: Key, asked: str) -> bool:
        """Whether it may be this class that somebody asks, where only the name of the method is known."""
        module, name = key
        if not any(where == module and what.startswith(f"{name}.") for where, what in self.seen.ran):
            return key not in self.lineage(self.spec)
        if asked in self.seen.common or asked in self._stored:
            return False
        below = (each for each in self.kept if key in self._lineage_of(each) - {each})
        return not any((where, f"{what}.{asked}") in self.seen.ran for where, what in below)

    def _lineage_of(self, key: Key) -> frozenset[Key]:
        return self.lineage(key) if isinstance(self.source(key[0]).definitions[key[1]], ast.ClassDef) else frozenset()


def qualified(module: str, node: Function, owner: Key | None = None) -> tuple[str, str]:
    """Return the module and the qualified name of a function, as Python itself names it."""
    return (module, f"{owner[1]}.{node.name}" if owner is not None else node.name)
