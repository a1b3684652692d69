"""What is written anew for an ejected folder: the loop and the page that says what it is. Torch-free."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from engine.core.spec import Family, Value
from engine.eject.emit import filled, import_block

PROJECT = """[tool.ruff]
line-length = 120

[tool.ruff.lint]
select = ["E", "F", "W", "I"]
"""


@dataclass(frozen=True, slots=True)
class Names:
    """Where the loop finds what it needs."""

    setting: str
    schedule: str
    learner_file: str
    learner: str
    spec: str


def run_of(target: str, changes: Mapping[str, Value], seed: int) -> str:
    """Return a run in words: ``mlp/quick width=8, seed 1``."""
    words = " ".join([target, *(f"{name}={value}" for name, value in sorted(changes.items()))])
    return f"{words}, seed {seed}"


def training(of: str, names: Names, seed: int, steps: int) -> str:
    """Return ``train.py``; `of` is the run that it repeats, in words."""
    made = names.learner if names.learner != "learner" else "build_learner"
    own = import_block(
        [
            ("data", "load_data", "load_data"),
            (names.setting or "setting", "Setting", "Setting"),
            (names.schedule or "schedule", "learning_rate_scale", "learning_rate_scale"),
            (names.learner_file or "learner", names.learner, made),
            ("spec", names.spec, names.spec),
        ]
    )
    return f'''"""{filled(f"Train as {of} does.", 0)}

``python train.py`` makes the whole run, with a number so many steps alone.
"""

from __future__ import annotations

import random
import sys

import torch

{own}

SEED = {seed}
STEPS = {steps}
"""Of the whole run; the learning rate rises and falls over them."""


def main(steps: int) -> None:
    """Make the first `steps` updates, and print the loss of each."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    random.seed(SEED)
    spec = {names.spec}()
    learner = {made}(Setting(spec, load_data(), SEED, torch.device("cpu"), total_steps=STEPS))
    batches = learner.batches()
    learner.mode(training=True)
    for step in range(steps):
        learner.optimizers.schedule(learning_rate_scale((step + 0.5) / STEPS, spec.warmup, spec.cooldown))
        scalars = learner.train_step(batches.at(step))
        print(f"{{step + 1:>6}}  {{float(scalars['loss']):.9g}}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else STEPS)
'''


def readme(family: Family, of: str, files: Mapping[str, str], losses: list[float]) -> str:
    """Return ``README.md``."""
    told = [(name, (ast.literal_eval(text) if text else "").strip().split("\n\n")[0]) for name, text in files.items()]
    rows = "\n".join(f"- `{name}`: {' '.join(text.split())}" for name, text in told)
    table = "\n".join(f"{step:>6}  {loss:.9g}" for step, loss in enumerate(losses, start=1))
    return f"""# {family.title}

{family.summary}

This folder was cut out of Lexigrad by `lexigrad eject`. It needs PyTorch and nothing else, and trains as the run
{of} does. It is yours: read it, change it.

    python train.py        the whole run
    python train.py {len(losses):<5}  its first steps

On one thread of a CPU, in single precision, the first losses are these; another machine or another PyTorch may differ
in the last digits.

```
{table}
```

What there is, beside the loop in `train.py` and the data that `data.py` reads:

{rows}

Left out, because training does not need it: validation, drawings, checkpoints, the start from another run.
"""
