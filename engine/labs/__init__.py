"""Labs: a folder each, its declaration without torch in lab.py, what it computes itself in compute.py."""
