import shutil
from pathlib import Path

import pandas as pd
import pytest

from mds_lightning.statistics.pooled_predictions import ExpectedPatients, pool_folds


def two_folds(correlated, tmp_path: Path, change=None) -> tuple[dict[int, Path], dict[int, ExpectedPatients]]:
    """Patients 0..9 tested in fold 0, 10..19 in fold 1; the first four of the other fold validate."""
    table = correlated(patients=20, images=2).table
    number = table["patient_id"].str[1:].astype(int)
    files, expected = {}, {}
    for fold in range(2):
        test = number // 10 == fold
        val = ~test & (number % 10 < 4)
        part = pd.concat([table[test], table[val].assign(split="val")]).assign(fold=fold)
        if change is not None:
            part = change(part, fold)
        files[fold] = tmp_path / f"{fold}.parquet"
        part.to_parquet(files[fold], index=False)
        expected[fold] = ExpectedPatients.of(set(table[val]["patient_id"]), set(table[test]["patient_id"]))
    return files, expected


def test_every_test_row_is_pooled_once(correlated, tmp_path: Path) -> None:
    pooled = pool_folds(*two_folds(correlated, tmp_path))
    assert len(pooled.split("test").table) == 40
    assert pooled.split("test").table["image"].is_unique
    assert len(pooled.split("val").table) == 16
    assert pooled.classes == ("donor", "MDS")


def test_folds_of_constant_probabilities_are_listed(correlated, tmp_path: Path) -> None:
    def silence(part, fold):
        return part.assign(prob_MDS=0.4, prob_donor=0.6) if fold == 1 else part

    assert pool_folds(*two_folds(correlated, tmp_path)).constant_folds == []
    assert pool_folds(*two_folds(correlated, tmp_path, silence)).constant_folds == [1]


def test_folds_unlike_the_fold_file_are_refused(correlated, tmp_path: Path) -> None:
    files, expected = two_folds(correlated, tmp_path)
    with pytest.raises(ValueError, match="fold 1 of 2 is missing"):
        pool_folds({0: files[0]}, expected)
    with pytest.raises(ValueError, match="has no fold 1"):
        pool_folds(files, {0: expected[0]})
    with pytest.raises(ValueError, match=r"1\.parquet: holds rows of fold 0"):
        pool_folds({0: files[0], 1: Path(shutil.copy(files[0], files[1]))}, expected)


def test_an_image_tested_twice_is_refused_though_the_fold_file_allows_it(correlated, tmp_path: Path) -> None:
    files, expected = two_folds(correlated, tmp_path)
    pd.read_parquet(files[0]).assign(fold=1).to_parquet(files[1])
    with pytest.raises(ValueError, match="tested in folds 0, 1"):
        pool_folds(files, {0: expected[0], 1: expected[0]})


def test_other_validation_patients_are_refused(correlated, tmp_path: Path) -> None:
    files, expected = two_folds(correlated, tmp_path)
    fewer = ExpectedPatients.of(sorted(expected[1].val)[1:], expected[1].test)
    with pytest.raises(ValueError, match=r"val patients .* 1 too many \(p00000\), 0 missing"):
        pool_folds(files, {0: expected[0], 1: fewer})


def test_classes_must_agree(correlated, tmp_path: Path) -> None:
    def rename(part: pd.DataFrame, fold: int) -> pd.DataFrame:
        if fold == 0:
            return part
        return part.rename(columns={"prob_MDS": "prob_AML"}).assign(label=part["label"].replace("MDS", "AML"))

    with pytest.raises(ValueError, match=r"1\.parquet: classes \['donor', 'AML'\]"):
        pool_folds(*two_folds(correlated, tmp_path, rename))


@pytest.mark.parametrize(
    ("patients", "message"), [((90,), "external images differ"), ((3,), "more than one split")]
)
def test_external_rows_must_agree(
    correlated, tmp_path: Path, patients: tuple[int, ...], message: str
) -> None:
    outside = correlated(patients=100, images=1, split="external").table

    def add(part: pd.DataFrame, fold: int) -> pd.DataFrame:
        chosen = outside[outside["patient_id"].isin([f"p{k:05d}" for k in patients])]
        chosen = chosen.assign(image="x" + chosen["image"])
        if message.startswith("external"):
            chosen = chosen.assign(image=chosen["image"] + str(fold))
        return pd.concat([part, chosen.assign(fold=fold)])

    with pytest.raises(ValueError, match=message):
        pool_folds(*two_folds(correlated, tmp_path, add))
