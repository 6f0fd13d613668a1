"""Prepare ILSVRC2012 (ImageNet-1k): every product reads byte ranges straight from the official archives."""
