"""A trainer without torch that speaks the real one's protocol; its recipe's knobs say how it misbehaves.

``python -P tests/stub_trainer.py RUN_FOLDER`` or ``--warm``. Knobs, all optional: steps, step_seconds, start_seconds,
crash_at, kill_at, nan_at, hang_at, fail_at (step numbers), ignore_term, leave_child (yes or no),
flood (bytes to print), exit_code, save_every (steps), tell (print each step that was written).
"""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from engine.core import control, events
from engine.core.recipe import Recipe, read_recipe
from engine.train.writer import RunWriter


class Stub:
    def __init__(self, folder: Path, recipe: Recipe) -> None:
        self.folder = folder
        self.recipe = recipe
        self.writer = RunWriter(folder)
        self.total = int(self.knob("steps", 20))
        self.pace = float(self.knob("step_seconds", 0.005))
        self.began = time.monotonic()
        self.step = self.last_checkpoint()
        self.paused = False
        self.stop = False
        self.term = False
        self.once = 0
        self.rate = float(self.knob("learning_rate", 0.01))

    def knob(self, name: str, default):
        return self.recipe.knobs.get(name, default)

    def last_checkpoint(self) -> int:
        saved = sorted((self.folder / "checkpoints").glob("*.json"))
        return json.loads(saved[-1].read_text())["step"] if saved else 0

    def save(self) -> None:
        (self.folder / "checkpoints").mkdir(exist_ok=True)
        path = self.folder / "checkpoints" / f"{self.step:08d}.json"
        part = path.with_suffix(".part")
        part.write_text(json.dumps({"step": self.step}))
        part.replace(path)
        self.emit(events.Saved(path=f"checkpoints/{path.name}"))

    def emit(self, event: events.Event) -> None:
        import msgspec

        self.writer.emit(msgspec.structs.replace(event, s=self.step, t=self.seconds()))

    def seconds(self) -> float:
        return self.step * max(self.pace, 0.001)

    def obey(self) -> None:
        for command_id, command in control.pending(self.folder):
            ok = True
            match command:
                case control.Pause():
                    self.paused = True
                    self.writer.status("paused", self.step, self.total, at_once=True)
                case control.Resume():
                    self.paused = False
                    self.writer.status("training", self.step, self.total, at_once=True)
                case control.Stop():
                    self.stop = True
                case control.Checkpoint():
                    self.save()
                case control.StepOnce():
                    self.once += 1
                case control.Slow():
                    self.pace = command.seconds
                case control.SetKnob():
                    self.emit(events.KnobChanged(name=command.name, before=self.rate, after=command.value))
                    self.rate = float(command.value)
                case _:
                    ok = False
            self.emit(events.Answer(command=control.name_of(command), ok=ok))
            control.done(self.folder, command_id)

    def misbehave(self) -> None:
        step = self.step
        if step == self.knob("crash_at", -1):
            raise ValueError("broken on purpose")
        if step == self.knob("kill_at", -1):
            os.kill(os.getpid(), signal.SIGKILL)
        if step == self.knob("hang_at", -1):
            while True:
                time.sleep(1)
        if step == self.knob("fail_at", -1):
            self.emit(events.Failed(what="The loss is not a number.", remedy="Lower the learning rate."))
            sys.exit(1)

    def make_step(self) -> None:
        time.sleep(self.pace)
        self.step += 1
        self.misbehave()
        loss = math.nan if self.step == self.knob("nan_at", -1) else 2.0 * math.exp(-3 * self.step / self.total)
        figures = {
            "train/loss": loss,
            "valid/loss": loss * 1.1,
            "train/accuracy": 1 - loss / 2,
            "valid/accuracy": 0.98 - loss / 2,
            "learning_rate": self.rate,
        }
        self.emit(events.Scalars(n=self.step * 64, v={name: events.number(value) for name, value in figures.items()}))
        if self.knob("tell", False):
            print(self.step, flush=True)
        if self.knob("save_every", 0) and self.step % int(self.knob("save_every", 0)) == 0:
            self.save()
        self.writer.status("training", self.step, self.total, self.pace)

    def run(self) -> int:
        time.sleep(float(self.knob("start_seconds", 0)))
        if self.knob("leave_child", False):
            subprocess.Popen(["sleep", "300"], start_new_session=True)
        if flood := int(self.knob("flood", 0)):
            for _ in range(flood // 65536 + 1):
                os.write(1, b"x" * 65535 + b"\n")
        print("stub: step", self.step, flush=True)
        self.emit(events.Started(total_steps=self.total, samples_per_step=64, device="cpu, stub", parameters=10))
        self.emit(events.Phase(name="training"))
        self.writer.status("training", self.step, self.total, self.pace, at_once=True)
        while self.step < self.total and not self.stop and not self.term:
            self.obey()
            if self.stop:
                break
            if self.paused and not self.once:
                time.sleep(0.002)
                continue
            self.once = max(0, self.once - 1)
            self.make_step()
        self.save()
        stopped = self.step < self.total
        headline = {"valid/accuracy": 0.9 + self.recipe.seed / 100, "valid/loss": 0.1}
        self.emit(events.Finished(headline=headline, stopped=stopped))
        self.writer.close()
        return 143 if self.term else int(self.knob("exit_code", 0))


def main() -> int:
    if sys.argv[1] == "--warm":
        line = sys.stdin.readline()
        if not line:
            return 0
        folder = Path(line.rstrip("\n"))
    else:
        folder = Path(sys.argv[1])
    stub = Stub(folder, read_recipe(folder))

    def leave(number: int, frame: object) -> None:
        stub.term = True

    signal.signal(signal.SIGTERM, signal.SIG_IGN if stub.knob("ignore_term", False) else leave)
    return stub.run()


if __name__ == "__main__":
    sys.exit(main())
