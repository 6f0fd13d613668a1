"""A made-up ILSVRC2012 for the demo, tests and benchmarks.

It has the structure of the real archives, and their odd files and boxes in known numbers.
"""

from imagenet_prep.synthetic.archives import synthesize
from imagenet_prep.synthetic.receipt import make_archives
from imagenet_prep.synthetic.settings import Settings
from imagenet_prep.synthetic.world import World, plan

__all__ = ["Settings", "World", "make_archives", "plan", "synthesize"]
