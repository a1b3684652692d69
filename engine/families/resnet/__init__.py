"""The residual network and its plain twin."""
