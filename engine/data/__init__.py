"""Data sets: one file each, one table of all of them, device-resident batches."""
