"""The one training loop, for every family: rare work first, then one update, then what is due."""

from __future__ import annotations

from engine.train.attend import attend
from engine.train.orders import Ending
from engine.train.schedule import learning_rate_scale
from engine.train.training import Training


def train(run: Training) -> Ending:
    """Train to the end of the recipe, or until somebody ends it; return how it ended (empty: by itself).

    Nothing in a plain step waits for the device: batches come from tensors that lie on it, the learning rate goes there
    as a number, and the step's scalars stay there until `Training.report` fetches them, five times a second.

    Raises:
        RunError: a loss that is not finite, or memory that does not suffice; the last good checkpoint stands.
    """
    learner, governor, orders = run.learner, run.governor, run.orders
    batches = learner.batches()
    run.start()
    while run.step < run.total_steps:
        attend(run)  # commands, signals, pauses
        if orders.ending:
            break

        scale = learning_rate_scale((run.step + 0.5) / run.total_steps, learner.spec.warmup, learner.spec.cooldown)
        learner.optimizers.schedule(scale)
        scalars = run.advance(batches.at(run.step), orders.side)
        run.step += 1
        run.meter.add(run.step, scalars)
        orders.stepped()

        if run.meter.due():
            run.report()
        if governor.idle() and not orders.wants_save:
            continue
        if governor.due("evaluate"):
            run.evaluate()
        if governor.due("draw"):
            run.draw()
        if governor.due("baseline"):
            run.baseline()
        if governor.due("save") or orders.wants_save:
            run.save()
    run.finish()
    return orders.ending
