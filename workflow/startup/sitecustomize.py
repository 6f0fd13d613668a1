"""Loaded by every Python that runs a script of the workflow, before anything else.

Ctrl-C ends a script that is still importing at once: Python would print where it was, and Snakemake's preamble is one
line of many kilobytes. `imagenet_prep.job` listens to Ctrl-C again.
"""

import _signal  # what `signal` is made of: importing that takes long enough to be hit

_signal.signal(_signal.SIGINT, _signal.SIG_DFL)
