"""Prepare ILSVRC2012 (ImageNet-1k): every product reads byte ranges straight from the official archives."""

import os

# Nothing here does linear algebra; a pool of threads for it, one a core, would be made and spun in every job.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
