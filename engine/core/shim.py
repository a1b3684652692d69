"""The small process between the app and a trainer, started in a session of its own as ``python -I -S shim.py ORDERS``.

ORDERS is JSON: ``folders`` (runs, one after another), ``trainer`` and ``sampler`` (commands that take a run's folder),
``grace`` (seconds from asking a trainer to end to killing it), ``warm`` (the folder of all runs, for a trainer that is
started ahead and gets its run's folder as a line on its input). Standard library alone.
"""

from __future__ import annotations

import json
import os
import sys


def main() -> int:
    """Carry out the orders; return the exit code."""
    # An isolated interpreter does not know where this package lies.
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
    from engine.core.supervisor import supervise

    return supervise(json.loads(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
