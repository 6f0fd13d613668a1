"""What jobs ask a cluster for, so that it neither kills them nor lets them wait for ever."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import pytest

from imagenet_prep.datasets.ilsvrc2012 import ILSVRC2012
from project import CHECKOUT, Project

RULES = CHECKOUT / "workflow" / "rules"
SCRIPTED = [
    pytest.param(body, id=re.search(r"scripts/(\w+)\.py", body)[1])  # type: ignore[index]
    for path in sorted(RULES.glob("*.smk"))
    for body in re.split(r"^(?= *(?:rule|checkpoint)(?: \w+)?:)", path.read_text(), flags=re.MULTILINE)[1:]
    if "    script:" in body
]

# Sizes of the real archives, as published; of the others about.
REAL = {"train": 147_897_477_120, "val": 6_744_924_160, "multilabel": 200_417_830}
IMAGES_MB = (REAL["train"] + REAL["val"]) / 1e6


@pytest.mark.parametrize("rule", SCRIPTED)
def test_every_rule_asks_for_memory_and_time_and_for_more_of_them_when_it_is_tried_again(rule: str) -> None:
    asked = dict(re.findall(r"^ +(mem_mb|runtime)=(\w+)", rule, re.MULTILINE))
    assert asked.keys() == {"mem_mb", "runtime"}
    assert asked["mem_mb"] in {"by_attempt", "memory_of_audit"}
    assert asked["runtime"] == "by_attempt"


def test_a_job_that_is_tried_again_gets_more() -> None:
    functions: dict[str, Any] = {}
    exec((RULES / "resources.smk").read_text(), functions)
    assert [functions["by_attempt"](500)(None, attempt) for attempt in (1, 2, 3)] == [500, 1000, 1500]
    asked = [functions["memory_of_audit"](None, threads, attempt) for threads, attempt in ((1, 1), (8, 1), (8, 2))]
    assert asked == sorted(set(asked))


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[int]]:
    """The MB of disk that each job of the real ILSVRC2012 asks for, by its rule, as far as they are known beforehand.

    Of files of holes, as large as the archives are. Snakemake shows what a job asks for where its rule has no message.
    """
    project = Project(tmp_path_factory.mktemp("real"), {})
    project.write_config({"predictions_dir": "predictions"})
    for path in (project.folder / "workflow" / "rules").glob("*.smk"):
        path.write_text(re.sub(r' +message:\n +f?".*"\n', "", path.read_text()))
    project.archives.mkdir()
    for name in ILSVRC2012.use:
        with open(project.archives / ILSVRC2012.archives[name].file, "wb") as file:
            file.truncate(REAL.get(name, 1_000_000))
    project.succeed("download")
    asked = ["--default-resources", "attempt=attempt"]  # as the profiles do, which adds Snakemake's own
    plan = project.succeed("tfrecord", "imagefolder", "-n", "--quiet", "host", *asked)
    found = defaultdict(list)
    for job in re.split(r"^(?=rule |checkpoint |localrule |localcheckpoint )", plan.terminal, flags=re.MULTILINE)[1:]:
        for megabytes in re.findall(r"^    resources: .*\bdisk_mb=(\d+)", job, re.MULTILINE):
            found[job.split(":")[0].split()[1]].append(int(megabytes))
    return found


@pytest.mark.parametrize("rule", ["write_imagefolder", "write_tfrecord"])
def test_jobs_that_write_images_ask_for_the_disk_that_they_fill(disk: dict[str, list[int]], rule: str) -> None:
    assert IMAGES_MB < sum(disk[rule]) < 1.3 * IMAGES_MB


def test_no_job_asks_for_the_disk_of_a_whole_archive(disk: dict[str, list[int]]) -> None:
    # remove_unused runs where snakemake does, and asks for what Snakemake asks for by itself.
    on_cluster = {rule: megabytes for rule, megabytes in disk.items() if rule != "remove_unused"}
    assert {"scan_archive", "write_imagefolder", "write_tfrecord"} < on_cluster.keys()
    assert max(map(max, on_cluster.values())) < 5000
