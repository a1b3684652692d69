"""Write a long run with W&B, offline: ``wandb_run.py FOLDER STEPS METRICS``, by the Python that has wandb installed."""

import math
import random
import sys

if __name__ == "__main__":
    import wandb

    folder, steps, metrics = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    chance = random.Random(0)
    run = wandb.init(project="bench", dir=folder, mode="offline", settings=wandb.Settings(console="off"))
    for step in range(steps):
        value = 2 * math.exp(-4 * step / steps)
        run.log({f"metric/{each}": value + 0.1 * chance.random() for each in range(metrics)})
    run.finish()
