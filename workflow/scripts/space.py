"""Show the space that the configured products still need, and what there is; fail if it is too little."""

import logging
from pathlib import Path
from typing import Any

from imagenet_prep.datasets.catalogue import dataset_of
from imagenet_prep.engine import archive_search, archive_table, space_check
from imagenet_prep.engine.existing import look
from imagenet_prep.engine.space import ARCHIVE, needs
from imagenet_prep.job import run
from imagenet_prep.products.registry import SPLIT_PRODUCTS


def main(snakemake: Any) -> None:
    config = snakemake.config
    used = {name: config["archives"][name] for name in config["use"]}
    for candidate in archive_search.find(Path(config["archives_dir"]), used, dataset_of(config), checksums=False):
        logging.info("%s", candidate.message)
    needed = needs(config, SPLIT_PRODUCTS, look(config, SPLIT_PRODUCTS))
    if any(need.part[0] == ARCHIVE for need in needed) and (problem := archive_table.folder_problem(config)):
        raise problem
    file_systems = space_check.file_systems_of(needed)
    logging.info("%s", space_check.as_table(needed, file_systems))
    space_check.expect_enough(needed, file_systems, config, SPLIT_PRODUCTS)


if __name__ == "__main__":
    run(main, snakemake, writes=False)
