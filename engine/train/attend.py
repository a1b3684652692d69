"""What the loop does about commands: carry them out, answer them, and hold still while a run is paused or slowed
down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core import control
from engine.core.control import Command, SetKnob, StepOnce
from engine.core.errors import LexigradError, UsageError, suggest
from engine.core.events import Answer, KnobChanged

if TYPE_CHECKING:
    from engine.train.training import Training


def attend(run: Training) -> None:
    """Carry out the commands that wait; while the run is paused or slowed down, hold still here."""
    obey(run)
    if not run.orders.holding():
        if run.phase == "paused" and not run.orders.paused:  # told to go on during the single step of a pause
            run.enter("training")
        return
    if run.orders.paused:
        run.enter("pausing")
        run.evaluate()
        run.draw()
        run.enter("paused")
    while run.orders.holding():
        run.beat()
        run.orders.hold()
        obey(run)
    run.enter("paused" if run.orders.paused else "training")


def obey(run: Training) -> None:
    """Carry out and answer each command that waits."""
    for name, command in run.orders.look():
        try:
            check_side(run, command)
            text, ok = run.orders.obey(command, lambda order: turn(run, order)), True
        except LexigradError as error:
            text, ok = str(error), False
        control.done(run.folder, name)
        run.emit(Answer(command=control.name_of(command), ok=ok, text=text))


def check_side(run: Training, command: Command) -> None:
    """Refuse a step of a player that this family does not have."""
    sides = run.learner.sides
    if isinstance(command, StepOnce) and command.side and command.side not in sides:
        raise UsageError(f"Nothing here is called '{command.side}'.", suggest(command.side, list(sides)))


def turn(run: Training, order: SetKnob) -> str:
    """Set a live knob and return what was done.

    Raises:
        UsageError: there is no such knob, it cannot change while a run is live, or the value is out of its range.
    """
    spec = run.learner.spec
    knob = next((each for each in type(spec).knobs() if each.name == order.name), None)
    if knob is None or knob.live is None:
        raise UsageError(f"'{order.name}' cannot change while a run is live.", "Fork the run with the new value.")
    knob.check(order.value)
    before, after = getattr(spec, knob.name), type(knob.default)(order.value)
    run.learner.turn(knob.name, after)
    if knob.live == "recapture":
        run.advance.recapture()
    run.turned[knob.name] = after
    run.emit(KnobChanged(name=knob.name, before=before, after=after))
    return f"{knob.name} is now {after}."
