"""Matching pictures and captions: which caption fits a picture, which pictures fit a caption."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from engine.core.errors import UsageError
from engine.core.events import Event, Table
from engine.data.picture_folder import read_picture
from engine.families.clip.spec import FindSettings, MatchSettings
from engine.train.classifier import pictures


class Matcher(Protocol):
    """What a learner has to be able to do so that one can ask which picture and which caption go together."""

    data: Any

    def held_out(self, number: int, *, unseen: bool) -> tuple[Tensor, str]:
        """Return a held-out picture ``CHW`` and its class.

        Raises:
            UsageError: there is no such picture.
        """

    def match(self, picture_CHW: Tensor, captions: list[str]) -> list[tuple[str, float, float]]:
        """Return each caption with its probability and its cosine, the best first; without any, one of each class.

        Raises:
            UsageError: a caption cannot be read.
        """

    def find(self, caption: str, count: int) -> tuple[Tensor, list[str]]:
        """Return the held-out pictures nearest to a caption, ``NCHW``, and what each is.

        Raises:
            UsageError: the caption cannot be read.
        """


def match(learner: Any, settings: MatchSettings) -> Iterator[Event]:
    """Yield the picture that is looked at, and how well each caption fits it.

    Raises:
        UsageError: there is no such picture, or a caption cannot be read.
        DataError: the file is no picture.
    """
    matcher: Matcher = learner
    if settings.file:
        picture_CHW, true = read_picture(Path(settings.file).expanduser(), matcher.data.shape), ""
        picture_CHW = 255 - picture_CHW if settings.invert else picture_CHW
    else:
        picture_CHW, name = matcher.held_out(settings.example, unseen=settings.unseen)
        true = f", in truth {name}"
    captions = [each.strip() for each in settings.captions.split("/") if each.strip()]
    found = matcher.match(picture_CHW, captions)
    yield pictures("picture", picture_CHW[None])
    rows = [[caption, f"{100 * chance:.1f} %", f"{cosine:.2f}"] for caption, chance, cosine in found]
    yield Table(name=f"best caption: {found[0][0]}{true}", columns=["caption", "probability", "cosine"], rows=rows)


def find(learner: Any, settings: FindSettings) -> Iterator[Event]:
    """Yield the held-out pictures nearest to a caption, the best first.

    Raises:
        UsageError: there is no caption, or it cannot be read.
    """
    if not settings.caption.strip():
        raise UsageError("There is no caption to look for.", "Example: a red circle")
    matcher: Matcher = learner
    inputs_NCHW, captions = matcher.find(settings.caption, settings.count)
    yield pictures(settings.caption, inputs_NCHW, captions)
