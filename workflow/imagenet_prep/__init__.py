"""Prepare ILSVRC2012 (ImageNet-1k): every product reads byte ranges straight from the official archives."""

import os

__version__ = "0.1.0"
"""Of a release: the one place that says it. What each product makes has a version of its own (`products/`)."""

# Nothing here does linear algebra; a pool of threads for it, one a core, would be made and spun in every job.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
