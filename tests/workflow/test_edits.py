"""Files that somebody has edited since they were made: named by the check, never vouched for, and mended as it says."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import checks
from imagenet_prep.formats import example, tfrecord
from products.audited import records_of, write_records
from project import Project

Edit = Callable[[Path], object]


def replaced(old: str, new: str) -> Edit:
    def edit(path: Path) -> None:
        text = path.read_bytes().decode()
        assert old in text
        path.write_bytes(text.replace(old, new, 1).encode())

    return edit


def column(name: str, change: Callable[[pa.ChunkedArray], pa.Array]) -> Edit:
    def edit(path: Path) -> None:
        table = pq.read_table(path)
        place = table.schema.get_field_index(name)
        changed = pc.cast(change(table[name]), table.schema.field(name).type)
        pq.write_table(table.set_column(place, table.schema.field(name), changed), path)

    return edit


def json_key(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "mine": 1}))


def backwards(shard: Path) -> None:
    """The records in another order, and an index that fits."""
    write_records(shard, records_of(shard)[::-1])
    lines = [f"{offset} {size}\n" for offset, size in tfrecord.record_ranges(shard)]
    (shard.parents[1] / "tfrecord_index" / shard.name).write_text("".join(lines))


def feature_more(shard: Path) -> None:
    first, *others = records_of(shard)
    image = example.decode(first)["image/encoded"][0]
    assert isinstance(image, bytes)
    _, start = example._read_varint(first, 1)
    features = first[start:] + example.int64_entry("mine", [1])
    write_records(shard, [b"\x0a" + example.varint(len(features)) + features, *others])


EDITS: dict[str, Edit] = {
    "labels/synsets.parquet": column("gloss", lambda it: pc.utf8_upper(it)),
    "labels/hierarchy.json": json_key,
    "labels/wnid_to_index.txt": replaced(",", ";"),
    "tables/bboxes.parquet": column("xmin", lambda it: pc.divide(it, 2)),
    "tables/multilabel.parquet": column("is_problematic", lambda it: pc.invert(it)),
    "tables/images.parquet": column("offset", lambda it: pc.add(it, 1)),
    "tfrecord/features.json": replaced("int64", "int32"),
    "tfrecord/dataset_info.json": json_key,
    "tfrecord/train-00001-of-00004": backwards,
    "tfrecord/train-00002-of-00004": feature_more,
    "tfrecord_index/train-00003-of-00004": replaced("\n", "\r\n"),
    "verified/train.json": replaced("e", "a"),
    "report/index.html": replaced("<h", "<H"),
    "audit.json": replaced("true", "false"),
    "scores/demo.json": replaced("0", "1"),
}


def test_no_edit_is_blessed_and_each_is_mended_as_the_check_says(project: Project) -> None:
    project.succeed("all", "results/scores/demo.json")
    products = project.products()
    for name, edit in EDITS.items():
        edit(project.results / name)
    (project.results / "imagefolder" / "train" / "n99999999").mkdir()
    run = project.run("check")
    assert run.code != 0
    named = {name: [text for _, text, _ in checks.problems_of(run) if f"results/{name}: " in text] for name in EDITS}
    assert {name: len(texts) for name, texts in named.items()} == dict.fromkeys(EDITS, 1), run.terminal
    assert "imagefolder/train/n99999999: no product" in run.terminal

    forced = project.run("-f", "audit_products")
    assert forced.code != 0
    assert "labels/synsets.parquet: it is not as it was made" in forced.last_line
    checks.follow(project, *(mend for _, _, mend in checks.problems_of(run)))
    assert project.succeed("check").rules == {"check"}
    assert project.products() == products


def test_what_is_wrong_is_named_and_not_what_is_held_against_it(project: Project) -> None:
    classes, missing = (project.results / "labels" / name for name in ("classes.csv", "val_labels.csv"))
    replaced("n0", "n1")(classes)
    missing.unlink()
    problems = checks.problems_of(project.run("check"))
    assert [text for _, text, _ in problems] == [
        "results/labels/classes.csv: it is not as it was made",
        "results/labels/val_labels.csv: it is missing",
    ]
    image = sorted((project.results / "imagefolder" / "train").glob("*/*"))[0]
    image.unlink()
    shard = project.results / "tfrecord" / "train-00000-of-00004"
    shard.write_bytes(shard.read_bytes()[:-1])
    problems = checks.problems_of(project.run("check"))
    assert len(problems) == 4, "what cannot be held against the labels is held against what is known of it"
    checks.follow(project, *(mend for _, _, mend in problems))
    project.succeed("check")


def test_commands_are_typed_where_snakemake_was_and_quoted(finished: Project, tmp_path: Path) -> None:
    project = finished.copy(tmp_path / "image net")
    (project.folder / "my out").mkdir()
    project.results.rename(project.folder / "my out" / "dïr")
    project.configure({"output_dir": "my out/dïr"})
    labels = project.folder / "my out" / "dïr" / "labels"
    replaced("n0", "n1")(labels / "classes.csv")
    (labels / "it's mine").mkdir()
    shutil.copy(project.folder / "test.yaml", tmp_path / "my test.yaml")
    how = "--cores 2 --directory 'image net' --configfile 'image net/config/config.yaml' 'my test.yaml'"
    command = f"snakemake check -s '{project.folder}/Snakefile' {how}"
    done = checks.in_shell(command, tmp_path)
    mends = [line.split("mend: ")[1] for line in done.stdout.splitlines() if "mend: " in line]
    assert any(mend.startswith("rm -f 'image net/my out/dïr/labels/classes.csv' && ") for mend in mends), done.stdout
    for mend in mends:
        followed = checks.in_shell(mend, tmp_path)
        assert followed.returncode == 0, (mend, followed.stdout)
        assert "Nothing to be done" not in followed.stdout
    assert checks.in_shell(command, tmp_path).returncode == 0
    assert (project.folder / "my out" / "dïr.moved-away" / "labels" / "it's mine").is_dir()


def test_after_a_changed_configuration_the_commands_make_what_it_asks_for(own: Project) -> None:
    own.configure({"tfrecord": {"train_shards": 3}, "imagefolder": {"val_dirs": "index"}})
    for _ in range(2):
        run = own.run("check")
        if not run.code:
            break
        for mend in dict.fromkeys(mend for _, _, mend in checks.problems_of(run)):
            done = checks.in_shell(mend, own.folder)
            assert done.returncode == 0, (mend, done.stdout)
    assert own.succeed("check").rules == {"check"}
    assert not list((own.results / "tfrecord").glob("train-*-of-00004"))


def test_after_one_split_alone_the_rest_is_missing_and_it_is_looked_at(own: Project) -> None:
    shutil.rmtree(own.results)
    shutil.rmtree(own.folder / ".snakemake")
    own.succeed("tfrecord_validation")
    shard = own.results / "tfrecord" / "validation-00000-of-00002"
    shard.write_bytes(shard.read_bytes()[:-1])
    run = own.run("check")
    problems = checks.problems_of(run)
    assert any("validation-00000-of-00002: it is not as it was made" in text for _, text, _ in problems)
    assert "nothing there" not in run.terminal
    assert not [text for _, text, _ in problems if "fault of the program" in text]
    checks.follow(own, *(mend for _, _, mend in problems))
    own.succeed("check")


def test_what_is_odd_in_a_file_ends_in_a_line_of_ours(project: Project) -> None:
    shard = project.results / "tfrecord" / "train-00000-of-00004"
    first, *others = records_of(shard)
    label = example.decode(first)["image/class/label"]
    old = example.int64_entry("image/class/label", [int(label[0])])
    features = first[example._read_varint(first, 1)[1] :].replace(old, example.float_entry("image/class/label", [1.0]))
    write_records(shard, [b"\x0a" + example.varint(len(features)) + features, *others])
    (project.results / "SHA256SUMS").write_bytes(b"\xff\xfe\x00 no text")
    run = project.run("check")
    assert run.code != 0
    assert "Traceback" not in run.terminal
    assert "fault of the program" not in run.terminal
    assert "train-00000-of-00004, byte 0: the record that begins here is not what it should be" in run.terminal
    assert "results/SHA256SUMS: it is not as it was made" in run.terminal


def test_a_tree_in_which_one_may_not_write_is_checked(project: Project) -> None:
    paths = [project.results, *project.results.rglob("*")]
    modes = {path: path.stat().st_mode for path in paths if not path.is_symlink()}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    bound = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.geteuid() == 0 else ()
    run = project.run("check", prefix=bound)
    for path, mode in modes.items():
        path.chmod(mode)
    assert run.code == 0, run.terminal
    assert "ok      SHA256SUMS: files" in run.terminal
