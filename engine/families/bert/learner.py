"""Which of the two learners a BERT has: the one that fills gaps, or the one that judges sentences."""

from __future__ import annotations

from engine.families.bert.filling import Filler
from engine.families.bert.judging import Judge
from engine.families.bert.reading import Reader
from engine.train.learner import Setting


def learner(setting: Setting) -> Reader:
    """Return the learner of the knob ``objective``."""
    return Judge(setting) if setting.spec.objective == "classify" else Filler(setting)
