"""Ask a folder of texts: the question, the answer with its citations, and the passages it stands on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static

from tui import ask_words
from tui.asking import OWN_WORDS, Asked, embedder, glossary
from tui.render.safe import one_line
from tui.screens.page import Page
from tui.widgets.menu import Menu
from tui.widgets.topbar import TopBar

SHOWN = 5
"""Passages."""


class AskPage(Page):
    """A question at the top, the answer at the left, its passages at the right."""

    CSS_PATH = "ask.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "question", "Ask", id="ask.question", tooltip="Go to the question"),
        Binding("s", "method", "Search by", id="ask.method", tooltip="Search by words, by meaning, or by both"),
        Binding("w", "retrieval", "With/without", id="ask.retrieval", tooltip="Answer with or without passages"),
        Binding("o", "open", "Page", id="ask.open", tooltip="Open the page that the passage is from"),
        Binding("f", "folder", "Folder", id="ask.folder", tooltip="Ask another folder of Markdown or text"),
        Binding("y", "copy", "Copy", id="ask.copy", tooltip="Copy the answer and its passages", show=False),
    ]

    def __init__(self, folder: str = "") -> None:
        """Ask about a folder; about the glossary where it is empty."""
        super().__init__()
        self.folder = Path(folder).expanduser().absolute() if folder else glossary()
        self._shipped = not folder
        self._asked = Asked(self.folder)
        self._method, self._retrieval = "hybrid", True
        self._question = ""
        self._waits_for = 0
        self._indexing = 0
        self._held: dict[str, Any] | None = None
        self._changed: dict[str, Any] = {}
        self._model = ""
        self._reply: dict[str, Any] | None = None
        self._by_model: dict[str, Any] | None = None
        self._whole: set[int] = set()
        self._choosing = False

    def crumbs(self) -> str:
        """Return the door and the folder."""
        return f" ‹ Ask  {'the glossary' if self._shipped else one_line(str(self.folder), 60)}"

    def body(self) -> Iterator[Widget]:
        """Question, what is chosen, answer, passages."""
        yield Vertical(
            Input(placeholder=self._invitation(), id="question"),
            Static("", id="choices", markup=False),
            Horizontal(
                VerticalScroll(Static("", id="answer", markup=False), id="answer-side"),
                Menu(id="passages", opens="Whole", spaced=True),
                id="found",
            ),
            id="ask",
        )

    def on_mount(self) -> None:
        """Type at once; the index is opened behind."""
        self.query_one("#answer-side").border_title = "Answer"
        self.query_one("#passages").border_title = "Passages"
        self.query_one(Input).focus()
        self._say(Content.styled("The index is being opened ...", "$text-muted"))
        self._show_choices()
        self._fill()
        self.run_worker(self._listen(), name="ask", exit_on_error=False)

    async def on_unmount(self) -> None:
        """Let the process of the index end."""
        await self._asked.close()

    def applies(self, action: str) -> bool:
        """Copying and opening need something found."""
        if action == "open":
            return self._shipped and bool(self._reply and self._reply.get("passages"))
        return bool(self._reply) if action == "copy" else super().applies(action)

    # The process of the index

    async def _listen(self) -> None:
        """Start the process, bring the index up to the folder, and show what comes back until it ends."""
        try:
            await self._asked.start()
        except OSError as error:
            self._say(ask_words.trouble(f"The search cannot be started: {error.strerror}.", "Try it again."))
            return
        async for reply in self._asked.replies():
            if self.whole:
                self._hear(reply)
        if self.whole:
            self._indexing = 0
            self._say(ask_words.trouble("The search has ended.", "Ask again to start it anew."))

    def _hear(self, reply: dict[str, Any]) -> None:
        if reply.get("ready"):
            self._held, self._model = reply.get("index"), str(reply.get("model", ""))
            self._indexing = self._asked.send("index", texts=str(self.folder), dense=embedder())
            if self._question:
                self._ask()
            elif self._held:
                self._say_welcome()
            return
        if "note" in reply:
            self.notify(one_line(str(reply["note"]), 300), severity="warning", markup=False)
        elif reply.get("id") == self._indexing:
            self._hear_of_index(reply)
        elif reply.get("id") == self._waits_for:
            self._hear_answer(reply)

    def _hear_of_index(self, reply: dict[str, Any]) -> None:
        if "progress" in reply:
            done, of = reply["progress"]
            if self._held is None:
                self._say(ask_words.building(int(done), int(of)))
            return
        self._indexing = 0
        if not reply.get("ok"):
            self._held = None
            self._reply = None
            self._fill()
            self._say(ask_words.trouble(str(reply.get("what", "")), str(reply.get("remedy", ""))))
            self.query_one("#answer-side").focus()
            return
        self._held, self._changed = reply.get("index"), reply
        if self._question:
            self._ask()
        else:
            self._say_welcome()
        self._show_choices()

    def _hear_answer(self, reply: dict[str, Any]) -> None:
        if "by_model" in reply:
            self._by_model = reply["by_model"]
        elif not reply.get("ok"):
            self._reply = None
            self._fill()
            self._say(ask_words.trouble(str(reply.get("what", "")), str(reply.get("remedy", ""))))
            return
        else:
            self._reply, self._by_model = reply, None
            self._whole.clear()
            self._fill()
        self._say_answer()
        self._show_choices()
        if self._reply is not None and self._reply.get("passages") and self.focused is self.query_one("#answer-side"):
            self.query_one("#passages").focus()

    # What is shown

    def _say(self, content: Content) -> None:
        self.query_one("#answer", Static).update(content)

    def _say_welcome(self) -> None:
        self._say(ask_words.welcome(self._held, self._changed, self._shipped, self._model))

    def _say_answer(self) -> None:
        if self._reply is not None:
            self._say(ask_words.answer(self._reply, self._by_model, self._retrieval))

    def _show_choices(self) -> None:
        about = ""
        if self._reply is not None and self._retrieval:
            about = f"{1e3 * float(self._reply.get('seconds', 0.0)):.1f} ms"
        self.query_one("#choices", Static).update(
            ask_words.choices(self._method, self._retrieval, about, brief=self.has_class("-narrow"))
        )

    def _fill(self) -> None:
        passages = (self._reply or {}).get("passages", [])
        lines = [
            (str(number), ask_words.passage(number, each, number in self._whole))
            for number, each in enumerate(passages, 1)
        ]
        menu = self.query_one("#passages", Menu)
        menu.fill(lines)
        menu.display = bool(lines)
        if not lines and self.focused is None:
            self.query_one("#answer-side").focus()

    def refresh_content(self) -> None:
        """Name the place again."""
        self.query_one(TopBar).set_crumbs(self.crumbs())

    # What one does

    @on(Input.Submitted, "#question")
    def _entered(self, event: Input.Submitted) -> None:
        typed = event.value.strip()
        if not typed:
            return
        if self._choosing:
            self.action_question()
            self.query_one(Input).value = self._question
            self.lexigrad.open_place(f"ask/{typed}")
            return
        self._question = typed
        if not self._asked.lives:
            self._say(Content.styled("The search is started again ...", "$text-muted"))
            self.run_worker(self._listen(), name="ask", exit_on_error=False)
            return
        self._ask()
        self.query_one("#answer-side").focus()

    def _ask(self) -> None:
        """Ask the question again, as it is chosen now; while the index is made, it waits."""
        if not self._question or (self._held is None and self._indexing):
            return
        self._waits_for = self._asked.send(
            "ask",
            question=self._question,
            method=self._method,
            k=SHOWN,
            retrieval=self._retrieval,
            leave_out=list(OWN_WORDS) if self._shipped else [],
        )

    @on(OptionList.OptionSelected, "#passages")
    def _unfold(self, event: OptionList.OptionSelected) -> None:
        if event.option.id is not None:
            self._whole ^= {int(event.option.id)}
            self._fill()

    def action_question(self) -> None:
        """Go to the question."""
        field = self.query_one(Input)
        if self._choosing:
            self._choosing, field.value = False, self._question
        field.placeholder = self._invitation()
        field.focus()

    def action_folder(self) -> None:
        """Type the name of another folder to ask."""
        field = self.query_one(Input)
        self._choosing, field.value = True, ""
        field.placeholder = "a folder of Markdown or text, then ⏎"
        field.focus()

    def action_back(self) -> None:
        """Leave the name of a folder, or the screen."""
        if self._choosing:
            self.action_question()
        else:
            super().action_back()

    def _invitation(self) -> str:
        return f"ask {'the glossary' if self._shipped else 'this folder'}, then ⏎"

    def action_method(self) -> None:
        """Take the next search and ask again."""
        names = list(ask_words.METHODS)
        self._method = names[(names.index(self._method) + 1) % len(names)]
        self._retrieval = True
        self._show_choices()
        self._ask()

    def action_retrieval(self) -> None:
        """Answer without passages, or with them again."""
        self._retrieval = not self._retrieval
        self._show_choices()
        self._ask()

    def action_open(self) -> None:
        """Open the page that the passage with the bar is from, at its heading."""
        chosen = self.query_one("#passages", Menu).chosen
        passages = (self._reply or {}).get("passages", [])
        if self._shipped and chosen and int(chosen) <= len(passages):
            found = passages[int(chosen) - 1]
            heading = f"#{found['headings'][-1]}" if found["headings"] else ""
            self.lexigrad.open_place(f"read/{Path(found['source']).stem}{heading}")

    def action_copy(self) -> None:
        """Copy the question, the answer and the passages as text."""
        if self._reply is None:
            return
        answer = ask_words.answer(self._reply, self._by_model, self._retrieval).plain
        found = [
            ask_words.passage(number, each, True).plain
            for number, each in enumerate(self._reply.get("passages", []), 1)
        ]
        self.app.copy_to_clipboard("\n\n".join([self._question, answer.strip(), *found]))
        self.notify("The answer is copied, with its passages.")
