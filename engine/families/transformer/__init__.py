"""The transformer of 2017: an encoder that reads, a decoder that writes, and cross-attention between them."""
