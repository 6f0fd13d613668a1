"""Predictions in the forms that people have them in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from imagenet_prep.products.predictions import read_predictions
from products.prediction_examples import BEST, CLASSES, STEMS, TABLE, VALIDATION, WNIDS, expected, read, scores


def text(separator: str = ",", names: list[str] = VALIDATION, header: str = "filename", wnids: bool = False) -> str:
    rows = [[WNIDS[it] if wnids else str(it) for it in row] for row in BEST]
    lines = [[header, *TABLE.columns], *([name, *row] for name, row in zip(names, rows, strict=True))]
    return "".join(separator.join(line) + "\n" for line in lines if header or line is not lines[0])


def lists(written: Callable[[list[int]], str], head: str = "filename,predictions\n") -> str:
    return head + "".join(f"{name},{written(row)}\n" for name, row in zip(VALIDATION, BEST, strict=True))


TEXTS = {
    "image folder paths": text(names=[f"/data/val/n0144/{name}" for name in VALIDATION], header="path"),
    "paths of Windows": text(names=[f"val\\n0144\\{name}" for name in VALIDATION]),
    "no ending": text(names=STEMS),
    "jpg": text(names=[f"{stem}.jpg" for stem in STEMS]),
    "jpeg": text(names=[f"{stem}.jpeg" for stem in STEMS], header="Image Name"),
    "names with the label": text(names=[f"{stem}_n01440764.JPEG" for stem in STEMS]),
    "bars": text("|"),
    "bytes as Python shows them": text(names=[f"b'{name}'" for name in VALIDATION]),
    "tabs": text("\t"),
    "semicolons": text(";"),
    "spaces": text(" "),
    "WNIDs": text(wnids=True),
    "no header": text(header=""),
    "another order of columns": TABLE.assign(filename=VALIDATION).iloc[:, ::-1].to_csv(index=False),
    "numbers of rows": TABLE.assign(filename=VALIDATION).to_csv(),
    "a byte order mark": "\ufeff" + text(),
    "lines of Windows": text().replace("\n", "\r\n"),
    "blank lines": text().replace("\n", "\n\n"),
    "quoted lists": lists(lambda row: f'"{row}"'),
    "lists without quotes": lists(str),
    "lists as NumPy shows them": lists(lambda row: f"[{' '.join(map(str, row))}]"),
    "lists of NumPy's numbers": lists(lambda row: f'"[{", ".join(f"np.int64({it})" for it in row)}]"'),
    "tensors of a GPU": lists(lambda row: f"\"tensor({row}, device='cuda:0')\""),
    "lists of WNIDs": lists(lambda row: f'"{[WNIDS[it] for it in row]}"'),
    "texts of numbers": lists(lambda row: " ".join(map(str, row)), "ImageId,PredictionString\n"),
    "texts of numbers with semicolons": lists(lambda row: ";".join(map(str, row))),
    "the true label beside it": TABLE.assign(filename=VALIDATION, label=0).to_csv(index=False),
    "the scores beside it": TABLE.assign(filename=VALIDATION, **{f"prob{it}": 0.5 for it in range(1, 6)}).to_csv(),
    "Kaggle's WNIDs with boxes": lists(
        lambda row: " ".join(f"{WNIDS[it]} 1 2 30 40" for it in row), "ImageId,PredictionString\n"
    ),
    "lists and their scores, of timm": TABLE.assign(
        filename=VALIDATION, index=[f"[{' '.join(map(str, row))}]" for row in BEST], prob="[0.5 0.2 0.1 0.1 0.1]"
    )[["filename", "index", "prob"]].to_csv(index=False),
    "columns and their scores, of timm": pd.DataFrame(
        np.hstack([np.array(BEST), scores()[:, :5]]),
        pd.Index(VALIDATION, name="filename"),
        [f"{what}_{place}" for what in ("index", "prob") for place in range(5)],
    ).to_csv(),
    "numbers of rows of a table that was written twice": TABLE.assign(filename=VALIDATION, index=range(4)).to_csv(
        index_label="Unnamed: 0"
    ),
    "columns of another name": text().replace("top", "pred_"),
    "rows in order, no names": TABLE.to_csv(index=False, header=False),
    "scores by class": pd.DataFrame(scores(), VALIDATION).to_csv(),
    "scores without names": pd.DataFrame(scores()).to_csv(index=False),
    "scores by WNID, backwards": pd.DataFrame(scores(), VALIDATION, WNIDS).iloc[:, ::-1].to_csv(),
    "scores by WNID without names": pd.DataFrame(scores(), columns=WNIDS).iloc[:, ::-1].to_csv(index=False),
}


@pytest.mark.parametrize("form", TEXTS)
def test_texts_that_mean_one_thing_are_read(form: str, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(TEXTS[form].encode())
    found = read(path)
    assert found.indices.tolist() == BEST, found.read_as
    assert found.read_as.startswith("text separated by ")


def test_a_text_of_excel_is_read(tmp_path: Path) -> None:
    (tmp_path / "m.txt").write_text(text("\t"), encoding="utf-16")
    assert read(tmp_path / "m.txt").indices.tolist() == BEST


@pytest.mark.parametrize("head", ["", "prediction\n", "# prediction\n"])
def test_a_number_a_line_is_the_best_class_of_each_image(head: str, tmp_path: Path) -> None:
    (tmp_path / "m.txt").write_text(head + "".join(f"{row[0]}\n" for row in BEST))
    found = read(tmp_path / "m.txt")
    assert found.indices.tolist() == [[row[0]] for row in BEST]
    assert "in the order of labels/val_labels.csv" in found.read_as


RANKED = np.argsort(-scores(), axis=1)
ARRAYS = {
    "scores": scores(),
    "scores of half precision": scores().astype(np.float16),
    "scores in columns": np.asfortranarray(scores()),
    "whole scores": np.round(scores() * 1000).astype(np.int32),
    "scores with a background": np.hstack([np.full((4, 1), 99), scores()]),
    "scores less those that are masked": np.where(scores() < 1, -np.inf, scores()),
    "five indices": np.array(BEST),
    "five indices as floats": np.array(BEST, np.float32),
    "all indices": RANKED,
    "more than five indices": RANKED[:, :10],
    "WNIDs": np.array(WNIDS)[np.array(BEST)],
    "WNIDs as bytes": np.array(WNIDS)[np.array(BEST)].astype("S"),
}


@pytest.mark.parametrize("form", ARRAYS)
def test_arrays_are_read_in_the_order_of_the_images(form: str, tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", ARRAYS[form])
    found = read(tmp_path / "m.npy")
    assert found.indices.tolist() == BEST, found.read_as
    assert ("scores" in found.read_as) == ("scores" in form)


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_an_array_of_one_index_an_image_is_read(shape: tuple[int, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.array(BEST)[:, 0].reshape(shape))
    assert read(tmp_path / "m.npy").indices.tolist() == [[row[0]] for row in BEST]


def test_scores_that_do_not_tell_the_best_five_give_no_top5(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", (scores() > 9.5).astype(np.float32) / 2)
    found = read(tmp_path / "m.npy")
    assert found.indices.tolist() == [[row[0]] for row in BEST]
    assert any("no top-5" in it for it in found.warnings)


def test_a_fifth_place_that_rounding_made_equal_to_the_sixth_is_taken_and_told(tmp_path: Path) -> None:
    rounded = scores()
    rows = np.arange(len(rounded))
    rounded[rows, RANKED[:, 5]] = rounded[rows, RANKED[:, 4]]
    np.save(tmp_path / "m.npy", rounded)
    found = read(tmp_path / "m.npy")
    assert [row[:4] for row in found.indices.tolist()] == [row[:4] for row in BEST]
    assert found.indices[:, 4].tolist() == RANKED[:, 4:6].min(axis=1).tolist()
    assert found.warnings == [
        "In 4 of 4 images a few classes share the fifth best score; that of the lowest index is taken"
    ]


NAMED = [
    {"filename": name, **dict(zip(TABLE.columns, row, strict=True))} for name, row in zip(VALIDATION, BEST, strict=True)
]
DOCUMENTS = {
    "lists by image": dict(zip(VALIDATION, BEST, strict=True)),
    "lists by path": {f"val/{name}": row for name, row in zip(VALIDATION, BEST, strict=True)},
    "WNIDs by image": {name: [WNIDS[it] for it in row] for name, row in zip(STEMS, BEST, strict=True)},
    "scores by image": dict(zip(VALIDATION, scores().astype(float).tolist(), strict=True)),
    "records": NAMED,
    "records of lists": [{"image": name, "pred": row} for name, row in zip(VALIDATION, BEST, strict=True)],
    "records below a key": {"predictions": NAMED},
    "records of a class and its score": [
        {"filename": name, "index": row, "prob": [0.5, 0.2, 0.1, 0.1, 0.1]}
        for name, row in zip(VALIDATION, BEST, strict=True)
    ],
    "lists in order": BEST,
    "pairs of an image and a list": list(zip(VALIDATION, BEST, strict=True)),
    "rows of an image and its classes": [[name, *row] for name, row in zip(VALIDATION, BEST, strict=True)],
    "below a key, beside other things": {
        "model": "resnet50",
        "top1": 0.8,
        "predictions": dict(zip(VALIDATION, BEST, strict=True)),
    },
    "columns": {"filename": VALIDATION, "predictions": BEST},
    "objects by image": {it["filename"]: {key: it[key] for key in TABLE.columns} for it in NAMED},
    "pandas": json.loads(TABLE.assign(filename=VALIDATION).to_json()),
    "pandas with an index": json.loads(TABLE.set_axis(VALIDATION).to_json()),
    "pandas, split": json.loads(TABLE.set_axis(VALIDATION).to_json(orient="split")),
    "pandas, split, with numbers of rows": json.loads(TABLE.assign(filename=VALIDATION).to_json(orient="split")),
    "pandas, split, of scores": json.loads(pd.DataFrame(scores(), VALIDATION).to_json(orient="split")),
    "pandas, a table": json.loads(TABLE.assign(filename=VALIDATION).to_json(orient="table")),
}


@pytest.mark.parametrize("form", DOCUMENTS)
def test_json_that_means_one_thing_is_read(form: str, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(json.dumps(DOCUMENTS[form]))
    found = read(tmp_path / "m.json")
    assert found.indices.tolist() == BEST, found.read_as


def test_a_record_a_line_is_read(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_text("".join(f"{json.dumps(it)}\n" for it in NAMED))
    assert read(tmp_path / "m.jsonl").indices.tolist() == BEST


def test_an_object_a_line_and_an_image_is_read(tmp_path: Path) -> None:
    lines = [json.dumps({name: row}) for name, row in zip(VALIDATION, BEST, strict=True)]
    (tmp_path / "m.jsonl").write_text("\n".join(lines))
    assert read(tmp_path / "m.jsonl").indices.tolist() == BEST


def test_one_tensor_a_line_is_read(tmp_path: Path) -> None:
    rows = zip(VALIDATION, BEST, strict=True)
    (tmp_path / "m.csv").write_text("path,pred\n" + "".join(f"{name},tensor({row[0]})\n" for name, row in rows))
    assert read(tmp_path / "m.csv").indices.tolist() == [[row[0]] for row in BEST]


@pytest.mark.parametrize("name", ["filename", "path", None])
def test_names_in_the_index_of_a_table_are_read(name: str | None, tmp_path: Path) -> None:
    TABLE.set_axis(pd.Index(STEMS, name=name)).to_parquet(tmp_path / "m.parquet")
    assert read(tmp_path / "m.parquet").indices.tolist() == BEST


def test_scores_in_a_table_are_ranked(tmp_path: Path) -> None:
    pd.DataFrame(scores(), VALIDATION, [str(it) for it in range(CLASSES)]).to_parquet(tmp_path / "m.parquet")
    assert read(tmp_path / "m.parquet").indices.tolist() == BEST


def test_images_of_classes_that_are_not_in_use_are_left_out(tmp_path: Path) -> None:
    part = {"filenames": VALIDATION[1:3], "every": VALIDATION}
    np.save(tmp_path / "m.npy", np.array(BEST))
    (tmp_path / "m.csv").write_text(text())
    for name in ("m.npy", "m.csv"):
        found = read(tmp_path / name, **part)
        assert found.indices.tolist() == BEST[1:3]
        assert "2 images of classes that are not in use left out" in found.read_as


def test_scores_of_the_classes_in_use_alone_are_read_by_their_indices(tmp_path: Path) -> None:
    in_use = [1, 2, 4, 6, 8, 10, 11]
    np.save(tmp_path / "m.npy", scores()[:, in_use])
    best = read(tmp_path / "m.npy", in_use=in_use).indices
    assert best.tolist() == [[in_use[it] for it in row] for row in np.argsort(-scores()[:, in_use])[:, :5]]


def test_scores_of_the_whole_set_are_read_where_a_part_of_it_is_numbered_anew(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", scores())
    part = {"wnids": WNIDS[2:9], "others": [*WNIDS[:2], *WNIDS[9:]], "in_use": range(7)}
    best = [[it - 2 if 2 <= it < 9 else -1 for it in row] for row in BEST]
    assert read(tmp_path / "m.npy", **part).indices.tolist() == best


def test_a_wnid_that_is_not_in_use_is_a_class_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(f"{STEMS[0]};n00000001\n{STEMS[1]};n00000099\n")
    found = read_predictions(tmp_path / "m.csv", expected(STEMS[:2], others=["n00000099"]))
    assert found.indices.tolist() == [[1], [-1]]
