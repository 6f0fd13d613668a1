"""Format versions of what is made.

Raising one redoes that product, and what follows from it, in everybody's next run.
"""

SCAN = 2
DEVKIT = 1
LABELS = 1
IMAGES = 1
IMAGE_TABLE = 1
BOXES = 1
BOX_TABLE = 1
MULTILABEL = 1
MULTILABEL_TFRECORD = 1
SHARDS = 2
IMAGEFOLDER = 1
TFRECORD = 1
TFRECORD_DESCRIPTION = 1
INDEX = 1
LEFTOVERS = 1
AUDIT = 2
SCORES = 1
PREDICTIONS = 1
SYNTHETIC = 1
PAGE = 2
PUBLISH = 1
