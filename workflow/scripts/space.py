"""Show the space that the configured products still need, and what there is; fail if it is too little."""

import logging
from pathlib import Path
from typing import Any

from imagenet_prep.dataset import possessions, verdict
from imagenet_prep.dataset.space import needs
from imagenet_prep.dataset.there import look
from imagenet_prep.job import run


def main(snakemake: Any) -> None:
    config = snakemake.config
    used = {name: config["archives"][name] for name in config["use"]}
    for possession in possessions.find(Path(config["archives_dir"]), used, checksums=False):
        logging.info("%s", possession.message)
    needed = needs(config, look(config))
    rooms = verdict.rooms_of(needed)
    logging.info("%s", verdict.as_table(needed, rooms))
    verdict.expect_room(needed, rooms)


if __name__ == "__main__":
    run(main, snakemake, writes=False)
