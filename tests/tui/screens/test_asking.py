"""Asking in the app: a question, an answer with citations, passages; folders, models and processes that fail."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from screens_help import NARROW, WIDE, opened, text_of, until

from tui import ask_words
from tui.asking import Asked, glossary, index_folder
from tui.screens.ask import AskPage
from tui.screens.read import ReadScreen
from tui.widgets.menu import Menu

STUB = """
import json, sys
PASSAGE = {"source": "loss/softmax.md", "title": "Softmax", "headings": ["How it works"], "matched": [[0, 3]],
           "text": "Tea is green \\x1b[2J and [bold]warm[/bold]. " + "More words follow. " * 40,
           "scores": {"bm25": 2.0, "dense": 0.5, "hybrid": 1.5}}
HELD = {"documents": 3, "passages": 7, "vectors": 2}
def say(**words): print(json.dumps(words), flush=True)
say(ready=True, trouble="", index=None, model=MODEL)
for line in sys.stdin:
    asked = json.loads(line)
    if asked["do"] == "index":
        say(id=asked["id"], progress=[1, 3])
        if FAILS: say(id=asked["id"], ok=False, what="It holds no text.", remedy="Choose another.")
        else: say(id=asked["id"], ok=True, index=HELD, skipped=1, first_skipped=["a.md: binary"])
    elif asked["question"] == "die": sys.exit(3)
    elif asked["question"] == "noise":
        print("no json"); print("[1]"); say(id=None, ok=False); say(id=asked["id"], ok=True)
    else:
        found = [PASSAGE] * 2 if asked["retrieval"] and asked["question"] != "zebra" else []
        quoted = [{"text": f"By {asked['method']}.", "passage": 2}] if found else []
        say(id=asked["id"], ok=True, seconds=0.001, passages=found, answer=quoted, covered=0.2, model=MODEL)
        if MODEL: say(id=asked["id"], by_model=SAYS)
"""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a stub in place of the process of the index."""

    def put(*, model: str = "", fails: bool = False, says: object = None) -> None:
        script = tmp_path / "server.py"
        script.write_text(f"MODEL, FAILS, SAYS = {model!r}, {fails!r}, {says!r}\n{STUB}")
        begin = Asked.__init__
        monkeypatch.setattr(
            Asked, "__init__", lambda self, texts, server=None: begin(self, texts, [sys.executable, str(script)])
        )

    return put


Press = Callable[..., Awaitable[None]]


async def asked(app: Any, pilot: Any, question: str) -> None:
    await until(pilot, lambda: "indexed" in text_of(app), "the index is there")
    await pilot.press(*question, "enter")


@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_question_gets_an_answer_and_the_passages_it_stands_on(server: Any, size: tuple[int, int]) -> None:
    server()
    async with opened("ask", size) as (app, pilot):
        await asked(app, pilot, "tea")
        await until(pilot, lambda: "By hybrid. [2]" in text_of(app), "the answer")
        shown = text_of(app)
        assert "Softmax › How it works" in shown and "BM25 2.00  meaning 0.50  fused 1.50" in shown
        assert "20 %" in shown, "it says how little is covered"
        assert "\x1b" not in shown and "[bold]" in shown, "what a passage holds is text"


async def test_keys_switch_the_search_and_the_passages(server: Any) -> None:
    server()
    async with opened("ask") as (app, pilot):
        await asked(app, pilot, "tea")
        await until(pilot, lambda: "By hybrid." in text_of(app), "fused")
        await pilot.press("s")
        await until(pilot, lambda: "By bm25." in text_of(app), "by words")
        await pilot.press("s")
        await until(pilot, lambda: "By dense." in text_of(app), "by meaning")
        await pilot.press("w")
        await until(pilot, lambda: "Without passages there is no answer" in text_of(app), "without")
        assert not app.screen.query_one("#passages", Menu).display
        await pilot.press("w")
        await until(pilot, lambda: "By dense." in text_of(app), "with them again")


async def test_a_passage_unfolds_and_its_page_opens(server: Any) -> None:
    server()
    async with opened("ask") as (app, pilot):
        await asked(app, pilot, "tea")
        await until(pilot, lambda: app.screen.query_one("#passages", Menu).has_focus, "the passages have the focus")
        folded = text_of(app).count("More words")
        await pilot.press("enter")
        await until(pilot, lambda: text_of(app).count("More words") > folded, "the whole passage")
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, ReadScreen), "the page")


async def test_nothing_found_and_a_folder_that_holds_nothing_say_so(server: Any) -> None:
    server()
    async with opened("ask") as (app, pilot):
        await asked(app, pilot, "zebra")
        await until(pilot, lambda: "No passage has anything to do" in text_of(app), "nothing")
    server(fails=True)
    async with opened("ask//tmp") as (app, pilot):
        await until(pilot, lambda: "It holds no text." in text_of(app), "the reason")
        assert "Choose another." in text_of(app)


async def test_files_that_were_passed_over_are_named(server: Any) -> None:
    server()
    async with opened("ask//tmp") as (app, pilot):
        await until(pilot, lambda: "a.md: binary" in text_of(app), "the file and the reason")
        assert "3 documents in 7 passages" in text_of(app)


@pytest.mark.parametrize(
    ("says", "shown"),
    [
        ({"text": "Eighty [1].", "cited": [1], "unknown": []}, "Eighty [1]."),
        ({"text": "I think so [7].", "cited": [], "unknown": [7]}, "made up"),
        ({"what": "http://x did not answer within 60 s.", "remedy": "Wait."}, "did not answer within 60 s. Wait."),
    ],
)
async def test_a_language_model_answers_beside_the_quotes(server: Any, says: dict[str, Any], shown: str) -> None:
    server(model="llama", says=says)
    async with opened("ask") as (app, pilot):
        await asked(app, pilot, "tea")
        await until(pilot, lambda: shown in " ".join(text_of(app).split()), shown)
        assert "By hybrid. [2]" in text_of(app)


async def test_a_process_that_ends_is_told_and_started_anew(server: Any) -> None:
    server()
    async with opened("ask") as (app, pilot):
        await asked(app, pilot, "die")
        await until(pilot, lambda: "The search has ended" in text_of(app), "the end is told")
        await pilot.press("a", *(["backspace"] * 3), *"tea", "enter")
        await until(pilot, lambda: "By hybrid." in text_of(app), "the answer of the new one")


async def test_noise_of_the_process_does_no_harm(server: Any) -> None:
    server()
    async with opened("ask") as (app, pilot):
        await asked(app, pilot, "noise")
        await until(pilot, lambda: "No passage has anything" in text_of(app), "an empty reply")


async def test_another_folder_is_typed_and_left_again(server: Any, tmp_path: Path) -> None:
    server()
    async with opened("ask") as (app, pilot):
        await asked(app, pilot, "tea")
        await until(pilot, lambda: "By hybrid." in text_of(app), "the answer")
        first = app.screen
        await pilot.press("f", "x", "escape")
        assert app.screen is first
        await pilot.press("tab", "tab", "f", *"/tmp", "enter")
        await until(pilot, lambda: app.screen is not first, "the other folder")
        assert isinstance(app.screen, AskPage) and str(app.screen.folder) == "/tmp"


async def test_the_real_process_answers_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "tea.md").write_text("# Tea\n\nGreen tea is brewed at 80 degrees.\n")
    async with opened(f"ask/{tmp_path}") as (app, pilot):
        await asked(app, pilot, "how hot for green tea?")
        await until(pilot, lambda: "Green tea is brewed at 80 degrees. [1]" in text_of(app), "the answer", 60.0)


def test_folders_have_indexes_of_their_own() -> None:
    assert glossary().is_dir()
    assert index_folder(Path("/a")) != index_folder(Path("/b"))
    assert index_folder(Path("/a")).parent.name == "indexes"


def test_progress_says_what_is_left() -> None:
    assert "5 of 10 documents" in ask_words.building(5, 10).plain
    assert "learning their vectors" in ask_words.building(10, 10).plain
    assert "0 of 0" in ask_words.building(0, 0).plain
