"""Prepare ILSVRC2012 (ImageNet-1k): every product reads byte ranges straight from the official archives."""

__version__ = "0.1.0"
"""Of a release: the one place that says it. What each product makes has a version of its own (`products/`)."""
