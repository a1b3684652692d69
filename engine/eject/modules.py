"""The modules of the engine as source: what a name in one of them means, and what a class inherits. Torch-free."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from importlib.util import find_spec

from engine.eject.cuts import ERRORS
from engine.eject.source import Source, read_source

Key = tuple[str, str]
"""Module and the name of a definition in it."""

ERRORS_MODULE = "engine.core.errors"


@dataclass(kw_only=True)
class Modules:
    """Reads modules once, and follows names from one to the next."""

    spec: Key
    """The family's spec, in which those that it is made from are merged."""
    sources: dict[str, Source] = field(default_factory=dict)
    _families: dict[Key, frozenset[Key]] = field(default_factory=dict)

    def source(self, module: str) -> Source:
        """Return a module, read once."""
        if module not in self.sources:
            self.sources[module] = read_source(module)
        return self.sources[module]

    def resolve(self, module: str, name: str) -> Key | None:
        """Return which definition of the engine a name of a module means; None for what is no part of it."""
        source = self.source(module)
        if name in source.definitions:
            return (module, name)
        found = source.imports.get(name)
        if found is None or not found.module.startswith("engine.") or not found.attribute:
            return None
        if found.module == ERRORS_MODULE and found.attribute in ERRORS:
            return None
        if self.module_named(module, name):
            return None
        key = self.resolve(found.module, found.attribute)
        return self.spec if key is not None and key != self.spec and key in self.lineage(self.spec) else key

    def lineage(self, key: Key) -> frozenset[Key]:
        """Return a class and all classes of the engine that it inherits from."""
        if key not in self._families:
            node = self.source(key[0]).definitions[key[1]]
            self._families[key] = frozenset({key})
            found = {key}
            for base in node.bases if isinstance(node, ast.ClassDef) else []:
                plain = base.value if isinstance(base, ast.Subscript) else base
                above = self.resolve(key[0], plain.id) if isinstance(plain, ast.Name) else None
                found |= self.lineage(above) if above is not None else set()
            self._families[key] = frozenset(found)
        return self._families[key]

    def is_module(self, key: Key) -> bool:
        """Whether a class is a network, whose attributes are its parts even where nobody reads them."""
        for module, name in self.lineage(key):
            node = self.source(module).definitions[name]
            assert isinstance(node, ast.ClassDef)
            if any(ast.unparse(base).endswith("Module") for base in node.bases):
                return True
        return False

    def module_named(self, module: str, name: str) -> str:
        """Return the module of the engine that a name of a module means; empty where it means none."""
        found = self.source(module).imports.get(name)
        if found is None or not found.module.startswith("engine."):
            return ""
        inner = f"{found.module}.{found.attribute}" if found.attribute else found.module
        return inner if find_spec(found.module) and _is_module(inner) else ""


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
