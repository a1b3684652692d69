"""Exact, graph and quantized vector indexes: what each gives up for its speed."""
