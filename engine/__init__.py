"""Everything that trains: the torch-free core, the families, the one loop."""
