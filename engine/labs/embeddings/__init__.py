"""Embeddings: do words that keep the same company lie close together, judged on text that was not trained on?"""
