"""The few doors through which screens reach the rest: library, runs, launcher, the learner's record."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core import paths
from tui.record import Record

if TYPE_CHECKING:
    from engine.core.experiments import Experiment, Experiments
    from engine.core.launcher import Launcher
    from engine.core.store import RunStore
    from glossary.library import Library
    from glossary.model import Walkthrough
    from glossary.search import Index
    from tui.watch import Watch


class Services:
    """Built at once and empty; `load` fills it after the first paint. Screens ask `ready` before they ask for more."""

    library: Library
    walkthroughs: dict[str, Walkthrough]
    index: Index
    store: RunStore
    launcher: Launcher
    watch: Watch
    experiments: Experiments
    shipped: Mapping[str, Experiment]
    """What the project itself found, by lab."""

    def __init__(self, *, trainer: list[str] | None = None) -> None:
        """Prepare the doors; `trainer` replaces the command that trains a run (tests use a stub)."""
        self.ready = False
        self.machine = ""
        """The machine in a few words, for the top line."""
        self.troubles: list[str] = []
        """Sentences to show once: bad entries, a record that cannot be kept."""
        self._trainer = trainer
        self._record: Record | None = None

    @property
    def record(self) -> Record:
        """The learner's record, opened at the first use (on the thread of the app)."""
        if self._record is None:
            self._record = Record(paths.database())
        if self._record.trouble:
            self.troubles.append(self._record.trouble)
            self._record.trouble = ""
        return self._record

    def load(self) -> None:
        """Read the entries, find the runs, describe the machine; slow enough to need a thread, once."""
        import engine
        from engine.catalog import LABS
        from engine.core.experiments import Experiments, shipped
        from engine.core.hardware import describe
        from engine.core.launcher import Launcher
        from engine.core.store import RunStore
        from glossary.library import Library
        from glossary.search import Index
        from glossary.walk import read_walkthroughs
        from tui.render.markdown import prepare
        from tui.watch import Watch

        self.library = Library.load(paths.entries_folder(), paths.cache_folder())
        walks, problems = read_walkthroughs(paths.home() / "walkthroughs")
        self.walkthroughs = {walk.slug: walk for walk in walks}
        self.troubles += [str(problem) for problem in (*self.library.problems, *problems)]
        self.index = Index(self.library, _writable(paths.cache_folder() / "entries.sqlite"))
        self.store = RunStore(paths.runs_folder())
        self.launcher = Launcher(self.store, trainer=self._trainer) if self._trainer else Launcher(self.store)
        self.watch = Watch(self.store)
        self.experiments = Experiments(paths.findings_folder())
        self.shipped = shipped(Path(engine.__path__[0]) / "labs" / "findings", LABS)
        self.machine = describe()
        if paths.home_is_temporary():
            self.troubles.append(f"No home folder can be written: runs go to {paths.home()} and may not last.")
        prepare()
        self.ready = True

    def setting(self, name: str, default: str) -> str:
        """Return a kept setting."""
        try:
            return self.record.place(f"setting:{name}", default)
        except sqlite3.Error:
            return default

    def keep_setting(self, name: str, value: str) -> None:
        """Keep a setting for the next time; a full disk loses only this."""
        self.remember(lambda record: record.keep_place(f"setting:{name}", value))

    def remember(self, write: Callable[[Record], object]) -> None:
        """Write to the learner's record; where the disk refuses, say so once and go on."""
        try:
            write(self.record)
        except sqlite3.Error as error:
            sentence = f"The learner's record could not be written: {error}."
            if sentence not in self.troubles:
                self.troubles.append(sentence)

    def is_written(self, slug: str) -> bool:
        """Whether there is a page to open; many are still to be written."""
        return bool(slug) and self.ready and slug.partition("#")[0] in self.library.entries

    def close(self) -> None:
        """Let go of everything; runs go on."""
        if self.ready:
            self.launcher.close()
        if self._record is not None:
            self._record.close()


def _writable(path: Path) -> Path | None:
    """Return `path` where its folder can be made, else None (an index in memory)."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return path
