"""What jobs need: more at each attempt, and of the disk what they fill."""

import math

from imagenet_prep.engine import batches


def by_attempt(amount):
    """A resource that grows with each attempt, for a job that a cluster stopped for want of it."""

    def grown(wildcards, attempt):
        return amount * attempt

    return grown


def space_of(kind, name):
    """The space in MB that an archive or a product's split fills."""
    (need,) = space.needs(config, space.There(), [(kind, name)])
    return need.nbytes / 1e6


def disk_of_archive(wildcards):
    """The space that an archive fills."""
    return math.ceil(space_of(space.ARCHIVE, wildcards.archive))


def disk_of_batch(kind):
    """A resource: the space that a batch of class folders or shards fills, with a margin, since classes differ in size."""

    def disk(wildcards):
        first, last = batches.units_of(wildcards.batch)
        share = (last - first + 1) / space.units(config, kind, wildcards.split)
        return math.ceil(1.25 * share * space_of(kind, wildcards.split))

    return disk


def disk_of_multilabel(wildcards):
    """The space that the multi-label set fills."""
    return math.ceil(1.25 * space_of(space.TFRECORD_MULTILABEL, ""))


def memory_of_audit(wildcards, threads, attempt):
    """What the audit needs: the tables, and for each of its processes a shard's records."""
    return (1000 + 200 * threads) * attempt
