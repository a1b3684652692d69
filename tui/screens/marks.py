"""The two signs that the search index puts around the words that matched."""

OPENING, CLOSING = "\ue000", "\ue001"
