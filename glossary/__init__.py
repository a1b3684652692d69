"""The entries, and all that finds, links, checks and reads them. Imports neither tui nor engine."""
