"""Who may import whom, proved where an import can no longer hide: in a fresh interpreter, by what it has loaded."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import source

HEAVY = ("torch", "torchvision", "sklearn", "safetensors")
APP_MAY_ASK = re.compile(r"engine\.(core|catalog|families\.\w+\.spec|labs\.\w+\.lab|data\.(table|fetch|files))\b")
FAMILY = re.compile(r"engine\.families\.(\w+)")

ASK = """
import json, sys
sys.argv = ["lexigrad", *{words!r}]
{code}
print("\\n" + json.dumps(sorted(name for name in sys.modules if name.partition(".")[0] in {watched!r})))
"""


def loaded(code: str, watched: tuple[str, ...], *words: str) -> list[str]:
    """Run `code` in a fresh interpreter and return the modules of the `watched` packages that it ends with."""
    script = ASK.format(code=code, watched=watched, words=words)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=source.ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def import_all(paths: list[Path]) -> str:
    names = [source.name_of(path) for path in paths if path.stem != "__main__"]
    return f"from importlib import import_module\nfor name in {names!r}: import_module(name)"


def light_engine() -> list[Path]:
    engine = source.ROOT / "engine"
    some = [*(engine / "families").glob("*/spec.py"), *(engine / "labs").glob("*/lab.py")]
    some += [
        engine / "catalog.py",
        engine / "play" / "kinds.py",
        engine / "data" / "table.py",
        engine / "data" / "fetch.py",
        engine / "data" / "files.py",
    ]
    return [*source.modules("engine/core"), *(path for path in some if path.is_file())]


def test_nothing_of_the_app_loads_torch() -> None:
    """Every screen, widget, renderer and verb."""
    assert loaded(import_all(source.modules("tui")), HEAVY) == []


def test_nothing_of_the_core_loads_torch() -> None:
    assert loaded(import_all(light_engine()), HEAVY) == []


def test_the_catalog_describes_every_family_without_torch() -> None:
    asked = "from engine.catalog import families\nfor each in families(): list(each.spec.knobs())"
    assert loaded(asked, HEAVY) == []


def test_nothing_of_the_glossary_loads_the_other_two() -> None:
    assert loaded(import_all(source.modules("glossary")), (*HEAVY, "tui", "engine", "textual", "rich")) == []


def test_nothing_of_the_engine_core_loads_the_screens() -> None:
    assert loaded(import_all(light_engine()), ("tui", "glossary", "textual", "rich")) == []


@pytest.mark.parametrize("words", [("--help",), ("define", "tensor"), ("run", "--help"), ("runs",), ("--version",)])
def test_the_command_line_opens_without_textual(words: tuple[str, ...]) -> None:
    call = "from tui.cli import main\ntry: main()\nexcept SystemExit: pass"
    assert loaded(call, ("textual", *HEAVY), *words) == []


def test_the_parts_of_the_engine_that_the_app_asks_are_the_agreed_ones() -> None:
    asked = [
        f"{path.relative_to(source.ROOT)}:{line} {name}"
        for path in source.modules("tui")
        for name, line in source.imports(path)
        if name.startswith("engine.") and not APP_MAY_ASK.match(name)
    ]
    assert asked == []


def test_no_family_imports_another() -> None:
    crossing = []
    for path in source.modules("engine/families"):
        home = path.relative_to(source.ROOT / "engine" / "families").parts[0]
        for name, line in source.imports(path):
            found = FAMILY.match(name)
            if found and found[1] != home:
                crossing.append(f"{path.relative_to(source.ROOT)}:{line} {name}")
    assert crossing == []


def test_the_shim_starts_on_the_standard_library_alone() -> None:
    """It is started ``python -I -S``: no package of the environment is there."""
    shim = source.ROOT / "engine" / "core" / "shim.py"
    foreign = [
        name for name, _ in source.imports(shim) if name.partition(".")[0] not in {*sys.stdlib_module_names, "engine"}
    ]
    assert foreign == []
