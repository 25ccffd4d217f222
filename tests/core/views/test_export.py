"""What other programs are given: CSV without formulas, a dataset in a folder."""

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
import yaml

from tasks.core.views import dataset_folder
from tasks.core.views.dataset_folder import export_dataset
from tasks.core.views.export import export_csv
from tasks.core.workspace.errors import InputError

LABELS = ["angry: very", "glad"]


def rows(n=3):
    return pl.DataFrame(
        {
            "id": [f"t{i}" for i in range(n)],
            "text": ["=1+1", "two\nlines", '"quoted", with comma'][:n],
            "stars": [1.5, None, 3.0][:n],
            "vector": np.eye(3, 4, dtype=np.float16)[:n],
            "label": ["glad", "angry: very", "glad"][:n],
            "confidence": pl.Series([0.5, 0.75, 1.0][:n], dtype=pl.Float32),
        }
    )


def card(folder):
    head = (folder / "README.md").read_text("utf-8").split("---\n")[1]
    return yaml.safe_load(head)


def test_a_csv_has_every_column_but_the_vectors_and_no_formula(tmp_path):
    export_csv(rows(), tmp_path / "v.csv")
    read = pl.read_csv(tmp_path / "v.csv")
    assert read.columns == ["id", "text", "stars", "label", "confidence"]
    assert read["text"].to_list() == ["'=1+1", "two\nlines", '"quoted", with comma']
    assert read["stars"].to_list() == [1.5, None, 3.0]


def test_a_dataset_is_its_rows_in_shards_and_a_card_with_their_features(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset_folder, "_SHARD", 60)
    folder = tmp_path / "mood"
    export_dataset(rows(), folder, "mood", LABELS, {"wording": "two\nlines"})
    shards = sorted((folder / "data").iterdir())
    assert [file.name for file in shards] == [f"train-{n:05}-of-00003.parquet" for n in range(3)]
    assert pl.concat(map(pl.read_parquet, shards)).equals(rows())
    about = card(folder)
    features = about["dataset_info"]["features"]
    assert [each["name"] for each in features] == pq.read_schema(shards[0]).names == rows().columns
    assert features[3] == {"name": "vector", "list": "float16", "length": 4}
    assert features[4]["dtype"]["class_label"]["names"] == {"0": "angry: very", "1": "glad"}
    kinds = {each["name"]: each.get("dtype") for each in features}
    assert (kinds["id"], kinds["stars"], kinds["confidence"]) == ("string", "float64", "float32")
    assert about["configs"][0]["data_files"] == [{"split": "train", "path": "data/train-*.parquet"}]
    assert "- wording: two lines\n" in (folder / "README.md").read_text()


def test_a_dataset_replaces_an_earlier_one_and_nothing_else(tmp_path):
    folder = tmp_path / "mood"
    export_dataset(rows(), folder, "mood", LABELS, {})
    export_dataset(rows(2), folder, "mood", LABELS, {})
    assert len(pl.read_parquet(folder / "data" / "*.parquet")) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mood"]
    (folder / "data" / "mine.csv").touch()
    with pytest.raises(InputError, match=r"found data/mine.csv in it; expected a new folder"):
        export_dataset(rows(), folder, "mood", LABELS, {})
    assert len(pl.read_parquet(folder / "data" / "*.parquet")) == 2
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="found a file; expected a new folder"):
        export_dataset(rows(), tmp_path / "file", "mood", LABELS, {})


def test_a_dataset_that_fails_leaves_the_earlier_one(tmp_path, monkeypatch):
    folder = tmp_path / "mood"
    export_dataset(rows(2), folder, "mood", LABELS, {})

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dataset_folder, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        export_dataset(rows(), folder, "mood", LABELS, {})
    assert len(pl.read_parquet(folder / "data" / "*.parquet")) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mood"]
