"""What ILSVRC2012 is: archives, devkit, classes, images, boxes, multi-label annotations, shards."""
