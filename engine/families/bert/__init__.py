"""BERT: a transformer that reads in both directions and fills gaps; with another head it judges sentences."""
