"""What jobs need: more at each attempt, and of the disk what they fill."""

import math

from imagenet_prep.engine import batches

# Of what others wait for: the archives' checksums, which are serial, and the samples.
FIRST = 1

# A process that has less to read than this takes longer to start than it saves.
BYTES_A_CORE = 64e6


def by_attempt(amount):
    """A resource that grows with each attempt, for a job that a cluster stopped for want of it."""

    def grown(wildcards, attempt):
        return amount * attempt

    return grown


def space_of(kind, name):
    """The space in MB that an archive or a product's split fills; none where that cannot be made, as its job says."""
    needs = space.needs(config, registry.SPLIT_PRODUCTS, space.Existing(), [(kind, name)])
    return sum(need.nbytes for need in needs) / 1e6


def cores_by_bytes(wildcards):
    """The cores of a job that reads images of all splits: few where there is little to read, so that others run beside."""
    images = {DATASET.splits[split].archive for split in SPLITS}
    return min(EVERY_CORE, math.ceil(1e6 * sum(space_of(space.ARCHIVE, name) for name in images) / BYTES_A_CORE) or 1)


def disk_of_archive(wildcards):
    """The space that an archive fills."""
    return math.ceil(space_of(space.ARCHIVE, wildcards.archive))


def disk_of_batch(product):
    """A resource: the space that a batch of units fills, with a margin, since classes differ in size."""

    def disk(wildcards):
        first, last = batches.units_of(wildcards.batch)
        share = (last - first + 1) / registry.SPLIT_PRODUCTS[product].count(config, wildcards.split)
        return math.ceil(1.25 * share * space_of(product, wildcards.split))

    return disk


def memory_of_audit(wildcards, threads, attempt):
    """What the audit needs: the tables, and for each of its processes a shard's records."""
    return (1000 + 200 * threads) * attempt
