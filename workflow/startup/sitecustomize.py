"""Loaded by every Python that runs a script of the workflow, before anything else.

Ctrl-C ends a script that is still importing at once: Python would print where it was, and Snakemake's preamble is one
line of many kilobytes. `imagenet_prep.job` listens to Ctrl-C again.
"""

import _signal  # what `signal` is made of: importing that takes long enough to be hit
import os
import sys

_signal.signal(_signal.SIGINT, _signal.SIG_DFL)

# A machine may have a module of this name, too, which is to have its turn.
sys.path[:] = [folder for folder in sys.path if folder != os.path.dirname(__file__)]
_this = sys.modules.pop(__name__)
try:
    import sitecustomize  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != __name__:
        raise
    sys.modules[__name__] = _this
