"""A cohort in a bucket, trained as a user trains it."""

from collections import Counter

import pandas as pd


def test_a_cohort_in_a_bucket_trains_to_the_same_bytes(workplace, tmp_path, mds_lightning, small, store):
    [drawn] = (workplace / "data").glob("simulated-*/manifest.csv")
    url = store.upload(drawn.parent, "smears")
    cohort = f"cohort.manifest={url}/manifest.csv"
    trained = mds_lightning("train", "study=small", *small, cohort, cwd=tmp_path, **store.environment)
    assert trained.returncode == 0, trained.stderr
    assert "Unclosed" not in trained.stderr
    run = "runs/small/squeezenet1_1/fold-0"
    for name in ("predictions.parquet", "metrics.csv"):
        assert (tmp_path / run / name).read_bytes() == (workplace / run / name).read_bytes()
    # The header of an internal image says how large it is; then the image is read, whatever the epochs.
    images = Counter(path for path in store.reads if not path.endswith("manifest.csv"))
    assert len(images) == len(pd.read_csv(drawn))
    assert set(images.values()) == {1, 2}
    store.stop()
    failed = mds_lightning("train", "study=other", *small, cohort, cwd=tmp_path, **store.environment)
    assert failed.returncode == 2
    assert f"{url}: the server cannot be reached" in failed.stderr
    assert "Traceback" not in failed.stderr
