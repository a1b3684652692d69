"""The smallest Textual app: what any app of the kind takes to be painted."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("ready to begin")


if __name__ == "__main__":
    Bare().run()
