"""Retrieval: documents to chunks, BM25, dense vectors, fusion, answers with citations, and how good each of them is."""
