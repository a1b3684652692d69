"""Speech recognition: log-mel features, an encoder, and either CTC or a decoder with attention."""
