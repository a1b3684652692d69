"""Recurrent networks: the Elman network, the LSTM, the GRU."""
