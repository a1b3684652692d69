"""How far loss falls as model, data and compute grow, fitted on small runs and tried on a larger one."""
