"""The data of an ejected training: tensors in one file, texts as texts, the rest as JSON or in the source."""

from __future__ import annotations

import dataclasses
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engine.core.errors import UsageError
from engine.eject.emit import WIDTH, escaped, literal

SHORT = 80
"""Characters of a value that stands in the source."""
Plain = bool | int | float | str | None


def record_fields(value: Any) -> tuple[str, ...]:
    """Return the names of the fields of a record; none where it is something else."""
    if dataclasses.is_dataclass(value):
        return tuple(each.name for each in dataclasses.fields(value))
    return tuple(getattr(value, "_fields", ()))


class DataFiles:
    """Writes the fields of a data set that a training reads, and the ``data.py`` that reads them back.

    Args:
        data: a dataclass, as ``engine.data.load.load`` returns it.
        fields: which of its fields are read.
        files: module -> name of its file, for the classes.
    """

    def __init__(self, data: Any, fields: set[str], files: Mapping[str, str]) -> None:
        self.data = data
        self.files = files
        self.imports: dict[str, set[str]] = {}
        self.tensors: dict[str, Tensor] = {}
        self.texts: dict[str, bytes] = {}
        held = [each.name for each in dataclasses.fields(data) if each.name in fields]
        self.arguments = {name: self._expression(name, getattr(data, name)) for name in held}

    def _expression(self, name: str, value: Any) -> str:
        """Return the source of an expression that gives a value back.

        Raises:
            UsageError: it is no plain value.
        """
        if isinstance(value, Tensor):
            self.tensors[name] = value.cpu().contiguous().clone()
            return f'tensors["{name}"]'
        if isinstance(value, Plain) and (not isinstance(value, str) or len(value) <= SHORT):
            return literal(value)
        if isinstance(value, str):
            self.texts[f"{name}.txt"] = value.encode()
            return f'(HERE / "{name}.txt").read_bytes().decode()'
        if isinstance(value, tuple | list) and all(isinstance(each, Plain) for each in value):
            if isinstance(value, tuple) and len(repr(value)) <= SHORT:
                cells = ", ".join(map(literal, value))
                return f"({cells},)" if len(value) == 1 else f"({cells})"
            self.texts[f"{name}.json"] = json.dumps(value, ensure_ascii=False, indent=0).encode()
            return f'{type(value).__name__}(json.loads((HERE / "{name}.json").read_bytes()))'
        if isinstance(value, tuple) and value and record_fields(value[0]):
            return self._rows(name, value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            self._import(type(value))
            parts = "".join(
                f"            {each}={self._expression(f'{name}_{each}', getattr(value, each))},\n"
                for each in record_fields(value)
            )
            return f"{type(value).__name__}(\n{parts}        )"
        raise UsageError(f"The data have a part, {name}, that cannot be written as a plain file.")

    def _rows(self, name: str, value: tuple[Any, ...]) -> str:
        """Return the source for records of one kind, a line each."""
        kind = type(value[0])
        rows = [[getattr(each, field) for field in record_fields(each)] for each in value]
        if not all(isinstance(cell, Plain) for row in rows for cell in row):
            raise UsageError(f"The data have a part, {name}, that cannot be written as a plain file.")
        lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        self.texts[f"{name}.json"] = f"[\n{lines}\n]\n".encode()
        self._import(kind)
        return f'tuple({kind.__name__}(*row) for row in json.loads((HERE / "{name}.json").read_bytes()))'

    def _import(self, kind: type) -> None:
        self.imports.setdefault(self.files[kind.__module__], set()).add(kind.__name__)

    @staticmethod
    def kinds(data: Any) -> set[tuple[str, str]]:
        """Return module and name of the classes that the data are made of."""
        found = {(type(data).__module__, type(data).__name__)}
        for each in dataclasses.fields(data):
            value = getattr(data, each.name)
            first = value[0] if isinstance(value, tuple) and value else value
            if record_fields(first):
                found.add((type(first).__module__, type(first).__name__))
        return found

    def source(self, what: str) -> str:
        """Return ``data.py``; `what` names the data."""
        kind = type(self.data)
        self._import(kind)
        body = "".join(f"        {name}={expression},\n" for name, expression in self.arguments.items())
        made = f"    return {kind.__name__}(\n{body}    )\n" if body else f"    return {kind.__name__}()\n"
        head = "from __future__ import annotations\n\n"
        head += "import json\n" if "json.loads" in made else ""
        head += "from pathlib import Path\n" if "HERE" in made or self.tensors else ""
        head += "\nimport torch\n" if self.tensors else ""
        owned = "\n".join(
            f"from {file} import {', '.join(sorted(names))}" for file, names in sorted(self.imports.items())
        )
        head = f"{head.rstrip()}\n\n{owned}\n"
        head += "\nHERE = Path(__file__).parent\n" if "HERE" in made or self.tensors else ""
        first = '    tensors = torch.load(HERE / "data.pt", weights_only=True)\n' if self.tensors else ""
        told = f'    """Return {escaped(what)}, as the training reads them."""\n'
        assert all(len(line) <= WIDTH for line in made.splitlines()), "a line of data.py is too long"
        head = f'"""The data, read from the files beside this one."""\n\n{head}'
        return f"{head}\n\ndef load_data() -> {kind.__name__}:\n{told}{first}{made}"

    def write(self, folder: Path) -> None:
        """Write the files beside ``data.py``."""
        for name, content in self.texts.items():
            (folder / name).write_bytes(content)
        if self.tensors:
            kept = io.BytesIO()
            torch.save(self.tensors, kept)
            (folder / "data.pt").write_bytes(kept.getvalue())
