"""The one loop, the learner seam, optimizers, schedule, checkpoints, device."""
