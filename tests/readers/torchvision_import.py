"""torchvision beside a torch without CUDA.

The builds of torchvision for Linux that PyPI holds want a torch with CUDA, gigabytes of it. Beside a smaller one their
compiled operators do not load, and importing torchvision fails where it mentions two of them. Its data sets need none
of these operators, so it is enough to say what the two look like.
"""

from __future__ import annotations

import torch

try:
    import torchvision
except RuntimeError:
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

__all__ = ["torchvision"]
