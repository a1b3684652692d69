"""The verbs of the command line, one file each. None needs Textual, none imports torch."""
