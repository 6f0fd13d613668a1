"""The scripts of docs/hpc.md by which the nodes of a training read the images, as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cluster.projects import PYTHON
from cluster.slurm import Slurm
from project import CHECKOUT, Project

PROGRAMS = ("mksquashfs", "squashfuse_ll", "fusermount3")

# In the place of a training: each says how many images it has found to be those of the project.
FROM_THE_ARCHIVE = """
import sys
from imagenet_prep.reading import Images
there, here = Images("results"), Images("results", archive=sys.argv[1])
print(sum(there[i] == here[i] for i in range(len(there))), "of", len(here), "from", sys.argv[1])
"""
FROM_CLASS_FOLDERS = """
import sys
from pathlib import Path
there, here = Path("results/imagefolder/train"), Path(sys.argv[1])
files = [path.relative_to(here) for path in here.rglob("*.JPEG")]
print(sum((there / it).read_bytes() == (here / it).read_bytes() for it in files), "of", len(files), "from", here)
"""


def blocks(words: str) -> list[str]:
    """The blocks of the page's shell commands that have these words in them."""
    text = (CHECKOUT / "docs" / "hpc.md").read_text(encoding="utf-8")
    return [it for it in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL) if words in it]


def said_by_job(script: str, training: str, folder: Path) -> str:
    """Run a script of the page on one node, which here has the disk that all have; return what its training says."""
    (folder / "train.py").write_text(training)
    (folder / "job.sh").write_text(script.replace("--nodes=4", "--nodes=1"))
    environment = os.environ | {"PATH": f"{PYTHON.parent}:{os.environ['PATH']}"}
    command = ["sbatch", "--wait", "--output=said.txt", "job.sh"]
    subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True)
    return (folder / "said.txt").read_text()


@pytest.fixture
def folder(slurm: Slurm, local: Project, tmp_path: Path) -> Path:
    """A folder in which the finished project is `results`."""
    (tmp_path / "results").symlink_to(local.results)
    return tmp_path


@pytest.fixture
def images(local: Project) -> int:
    """How many training images there are."""
    return len(list((local.results / "imagefolder" / "train").rglob("*.JPEG")))


def test_the_archive_is_staged_and_read_from_there(folder: Path, images: int) -> None:
    (script,) = blocks("$local/train.tar")
    said = said_by_job(script, FROM_THE_ARCHIVE, folder)
    assert re.fullmatch(rf"{images} of {images} from (.*)/train\.tar\n", said), said
    assert not Path(said.split(" from ")[1].strip()).parent.exists()


@pytest.mark.skipif(
    not (all(map(shutil.which, PROGRAMS)) and Path("/dev/fuse").exists()),
    reason="not possible here: no FUSE, or none of Debian's squashfs-tools, squashfuse, fuse3",
)
def test_a_squashfs_of_the_class_folders_is_staged_and_mounted(folder: Path, images: int) -> None:
    (make,) = blocks("mksquashfs results/imagefolder")
    subprocess.run(["sh", "-e", "-c", make], cwd=folder, check=True, capture_output=True)
    (script,) = blocks("squashfuse_ll")
    said = said_by_job(script, FROM_CLASS_FOLDERS, folder)
    assert re.fullmatch(rf"{images} of {images} from (.*)/images/train\n", said), said
    assert not Path(said.split(" from ")[1].strip()).parents[1].exists()
