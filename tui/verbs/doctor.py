"""``lexigrad doctor``: what is here, what is missing, and what to do about it. It looks and changes nothing."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from engine.core import paths
from engine.core.hardware import Machine, probe
from tui.columns import columns
from tui.figures import memory
from tui.render.safe import one_line

EXAMPLES = """examples:
  lexigrad doctor           what is here, and what to do about what is missing
  lexigrad doctor --json    the same, to send with a question

It changes nothing and always ends with 0."""

NARROW, LOW = 80, 24
LITTLE_MEMORY = 4e9
NEEDED = ("textual", "rich", "msgspec", "yaml", "numpy", "psutil", "torchvision", "safetensors", "sklearn")
GPU_DEVICE = "/dev/nvidiactl"
INSTALL = "make install (in the project's folder) puts it there."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Literal["ok", "note", "missing"]
    name: str
    text: str
    remedy: str = ""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.epilog = EXAMPLES
    parser.add_argument("--json", action="store_true", help="as JSON")


def act(options: argparse.Namespace) -> int:
    """Print the findings, and below them what to do."""
    found = examine()
    if options.json:
        print(json.dumps([asdict(each) for each in found], indent=1))
        return 0
    for line in columns([(each.level, each.name, each.text) for each in found]):
        print(line)
    remedies = [each for each in found if each.remedy]
    print("\nWhat to do:" if remedies else "\nAll is well.")
    for each in remedies:
        print(f"  {each.name}: {one_line(each.remedy)}")
    return 0


def examine() -> list[Finding]:
    """Look at everything; what cannot be looked at is a finding itself."""
    found: list[Finding] = []
    for look in (_python, _torch, _packages, _processor, _gpus, _home, _disk, _terminal, _data, _entries, _runs):
        try:
            found += look()
        except Exception as error:  # a doctor that falls ill helps nobody
            found.append(Finding("note", look.__name__.strip("_"), f"could not be looked at: {error!r}"))
    return found


def _python() -> Iterator[Finding]:
    words = f"{platform.python_version()} on {platform.system()} {platform.release()}, {platform.machine()}"
    yield Finding("ok", "python", f"{words}, {sys.executable}")
    try:
        yield Finding("ok", "lexigrad", metadata.version("lexigrad"))
    except metadata.PackageNotFoundError:
        yield Finding("note", "lexigrad", "not installed, run from its folder")


def _torch() -> Iterator[Finding]:
    """Read the version from the file that states it; importing torch would take seconds."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        yield Finding("missing", "torch", "not installed: nothing can be trained", INSTALL)
        return
    stated = Path(spec.origin).with_name("version.py").read_text()
    version = re.search(r"__version__ = '(.+?)'", stated)
    cuda = re.search(r"cuda.* = '(.+?)'", stated)
    words = f"{version[1] if version else 'of unknown version'}, {f'CUDA {cuda[1]}' if cuda else 'without CUDA'}"
    if cuda is None and Path(GPU_DEVICE).exists():
        yield Finding("missing", "torch", f"{words} beside a GPU", "make install TORCH=auto loads the one with CUDA.")
    else:
        yield Finding("ok", "torch", words)


def _packages() -> Iterator[Finding]:
    absent = [name for name in NEEDED if find_spec(name) is None]
    if absent:
        yield Finding("missing", "packages", f"{', '.join(absent)} not installed", INSTALL)


def _processor() -> Iterator[Finding]:
    machine = _machine()
    cores = f"{machine.cores} core{'s' if machine.cores != 1 else ''}"
    yield Finding("ok", "processor", f"{machine.processor}, {cores} to use")
    words = f"{memory(machine.memory_free)} of {memory(machine.memory_total)} free"
    if machine.memory_free < LITTLE_MEMORY:
        yield Finding("note", "memory", words, "Close what you do not need; training a large preset may not fit.")
    else:
        yield Finding("ok", "memory", words)


def _gpus() -> Iterator[Finding]:
    driver, gpus = _driver(), _machine().gpus
    for number, gpu in enumerate(gpus):
        total, used = gpu.memory_total or 0.0, gpu.memory_used or 0.0
        yield Finding("ok", f"gpu {number}", f"{gpu.name}, {memory(total - used)} of {memory(total)} free, {driver}")
    if gpus:
        return
    if driver:
        yield Finding("missing", "gpu", f"{driver}, but it names no GPU", "See what nvidia-smi says.")
    elif sys.platform == "darwin" and platform.machine() == "arm64":
        yield Finding("ok", "gpu", "Apple's, through Metal (mps)")
    else:
        yield Finding("ok", "gpu", "none that PyTorch could use; runs use the processor")


@cache
def _machine() -> Machine:
    return probe()


def _driver() -> str:
    """Return NVIDIA's driver and its version; empty where there is none."""
    try:
        line = Path("/proc/driver/nvidia/version").read_text().splitlines()[0]
    except (OSError, IndexError):
        return ""
    version = next((word for word in line.split() if word[0].isdigit()), "")
    return f"driver {version}"


def _home() -> Iterator[Finding]:
    home = paths.home()
    existing = next(each for each in (home, *home.parents) if each.exists())
    setting = f"Let {paths.HOME} name a folder that you may write to."
    if paths.home_is_temporary():
        yield Finding("missing", "home", f"{home}: temporary, runs may not last", setting)
    elif not (existing.is_dir() and os.access(existing, os.W_OK)):
        yield Finding("missing", "home", f"{home} cannot be written", setting)
    else:
        yield Finding("ok", "home", f"{home}, can be written")


def _disk() -> Iterator[Finding]:
    from engine.core.launcher import LEAST_FREE

    home = paths.home()
    existing = next(each for each in (home, *home.parents) if each.exists())
    free = shutil.disk_usage(existing).free
    if free < LEAST_FREE:
        remedy = f"A run needs {memory(LEAST_FREE)}: delete runs, or let {paths.HOME} name a folder on another disk."
        yield Finding("missing", "disk", f"only {memory(free)} free", remedy)
    else:
        yield Finding("ok", "disk", f"{memory(free)} free")


def _terminal() -> Iterator[Finding]:
    from tui.guard import refuse_reason

    term, encoding = os.environ.get("TERM", ""), (sys.stdout.encoding or "").lower()
    reason = refuse_reason()
    if reason:
        yield Finding("note", "terminal", f"{reason} TERM={term or 'unset'}", "The verbs work without one.")
        return
    size = os.get_terminal_size(sys.stdout.fileno())
    colors = _colors(term)
    words = f"{size.columns} by {size.lines}, TERM={term}, {colors}, {encoding}"
    if size.columns < NARROW or size.lines < LOW:
        yield Finding("note", "terminal", words, f"At {NARROW} by {LOW} and more the app shows all it has.")
    elif encoding not in {"utf-8", "utf8"}:
        yield Finding("note", "terminal", words, "Charts need Unicode: set LANG to a UTF-8 locale such as C.UTF-8.")
    else:
        yield Finding("ok", "terminal", words)


def _colors(term: str) -> str:
    if os.environ.get("NO_COLOR"):
        return "no color (NO_COLOR is set)"
    if os.environ.get("COLORTERM", "") in {"truecolor", "24bit"}:
        return "16 million colors"
    return "256 colors" if "256" in term else "16 colors"


def _data() -> Iterator[Finding]:
    from engine.data.table import TABLE
    from tui.verbs.data import state_of

    states = {name: state_of(row) for name, row in TABLE.items()}
    built_in = sum(state == "built in" for state in states.values())
    here = [name for name, state in states.items() if state == "here"]
    yield Finding("ok", "data", f"{built_in} sets built in; here: {', '.join(here) or 'no others'}")
    for level in ("damaged", "in part", "missing"):
        names = [name for name, state in states.items() if state == level]
        if names:
            yield Finding("note", f"data {level}", ", ".join(names), f"lexigrad data get {' '.join(names)}")


def _entries() -> Iterator[Finding]:
    from glossary.library import Library

    library = Library.load(paths.entries_folder())
    own = sum(entry.origin == "own" for entry in library.entries.values())
    yield Finding("ok", "entries", f"{len(library.entries)}, of them {own} your own")
    if library.problems:
        bad = f"{len(library.problems)} files do not parse"
        yield Finding("note", "entries", bad, "lexigrad check names file, line and reason.")


def _runs() -> Iterator[Finding]:
    from engine.core.liveness import LIVE
    from engine.core.store import RunStore

    store = RunStore(paths.runs_folder())
    states = [run.state() for run in store.runs()]
    live = sum(state in LIVE for state in states)
    yield Finding("ok", "runs", f"{len(states)}, of them {live} at work")
    if store.troubles:
        names = ", ".join(store.troubles)
        yield Finding("note", "runs", f"not readable: {names}", "lexigrad runs says why; rm -r what you do not need.")
