"""Ejecting: a folder that needs torch alone, cut out of the source of a family, and one file with a learner."""
