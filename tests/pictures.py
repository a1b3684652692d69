"""``python -m tests.pictures``: the pictures of the README, made by the app itself.

A real run is trained for them in a home of its own, so they need torch and some seconds.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
SIZE = (120, 40)


async def picture(name: str, place: str, keys: tuple[str, ...] = ()) -> None:
    """Open the app at a place, press keys, and keep what is seen as an SVG."""
    from tui.app import Lexigrad
    from tui.services import Services

    services = Services()
    app = Lexigrad(services, start=place)
    async with app.run_test(size=SIZE) as pilot:
        while not services.ready:
            await pilot.pause(0.05)
        while not app.screen.query("Keys FooterKey") or not app.screen.query("TopBar #crumbs"):
            await pilot.pause(0.05)
        await pilot.pause(1.0)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.2)
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / f"{name}.svg").write_text(app.export_screenshot(title="Lexigrad"), encoding="utf-8")
    services.close()


def train() -> str:
    """Train the run that is pictured and return its id."""
    from engine.catalog import parse_run
    from engine.core import paths
    from engine.core.launcher import Launcher
    from engine.core.liveness import LIVE
    from engine.core.store import RunStore
    from tui.recipes import recipe_of

    run = Launcher(RunStore(paths.runs_folder())).start(recipe_of(parse_run("mlp/quick"), entry="neural-network"))
    while run.state() in LIVE:
        asyncio.run(asyncio.sleep(0.2))
    return run.id


def main() -> None:
    """Make every picture."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["LEXIGRAD_HOME"] = home
        run = train()
        asyncio.run(picture("run", f"run/{run}"))
        asyncio.run(picture("read", "read/learning-rate"))
        asyncio.run(picture("home", ""))


if __name__ == "__main__":
    main()
