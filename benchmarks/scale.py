"""A hundred thousand fields: check, split, and the first batch with an empty and with a full cache.

    python benchmarks/scale.py                # about five minutes on two cores

Fields are JPEGs of 64 x 48 pixels, five a patient. Every step is a process of its own; time and peak memory
(of the process and its largest child) are taken inside it, from before the first import of this package.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

CHECK = """
from mds_lightning.cli import main
sys.argv = ["mds-lightning", "check", "task=mds_vs_donor", f"cohort.manifest={folder}/manifest.csv"]
main()
"""
COHORT = """
from mds_lightning.cohort.folds import load_or_make_folds
from mds_lightning.cohort.split_parameters import SplitParameters
from mds_lightning.cohort.manifest import read_cohort
from mds_lightning.cohort.task import Task
task = Task("mds_vs_donor", ("donor", "MDS"))
cohort = read_cohort(folder / "manifest.csv", task, None, 5)
folds = load_or_make_folds(folder / "folds.json", cohort, SplitParameters())
"""
BATCH = (
    COHORT
    + """
from mds_lightning.data.augmentation import AugmentationParameters
from mds_lightning.data.cache import CacheParameters, FieldCache
from mds_lightning.data.datamodule import SmearDataModule
from mds_lightning.data.loading_parameters import LoadingParameters, required_resize_specs
from mds_lightning.data.field_preparation import prepare_fields
from mds_lightning.data.input_size import input_size
augmentation = AugmentationParameters(crop=0.5, flips=True, quarter_turns=True, rotation=15)
cache = FieldCache(CacheParameters(folder / "cache"))
loading = LoadingParameters(size=input_size(cohort, 64, 10**8, cache), batch_size=32)
specs = required_resize_specs(loading, augmentation)
fields, skipped = prepare_fields(cohort, specs, loading, cache, folder / "skipped.csv")
module = SmearDataModule(cohort, task, folds.fold(0), loading, augmentation, "balanced", 0, fields, skipped)
module.setup("fit")
next(iter(module.train_dataloader()))
"""
)
STEPS = {
    "check (every pixel decoded)": CHECK,
    "read the manifest, split into 5 folds": COHORT,
    "first batch, cache empty (decodes all)": BATCH,
    "first batch, cache full": BATCH,
}
MEASURE = """
import json, resource, sys, time
from pathlib import Path
began, folder = time.monotonic(), Path(sys.argv[1])
try:
    exec(sys.argv[2])
except SystemExit as error:
    assert not error.code, error
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
peak = max(part.ru_maxrss for part in used) / 1e6
busy = sum(part.ru_utime + part.ru_stime for part in used)
sys.stderr.write("\\n" + json.dumps([time.monotonic() - began, busy, peak]))
"""


def write_cohort(folder: Path, number: int) -> None:
    """Fields of one colour and some noise, no two alike."""
    import cv2
    import numpy as np

    random = np.random.default_rng(0)
    lines = ["image,patient_id,label"]
    for index in range(number):
        name = f"{index // 1000:03d}/{index:06d}.jpg"
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), random.integers(0, 256, (48, 64, 3), dtype=np.uint8))
        patient = index // 5
        lines.append(f"{name},P{patient},{('MDS', 'donor')[patient % 2]}")
    (folder / "manifest.csv").write_text("\n".join(lines) + "\n")


def main() -> None:
    """Write the fields, run the steps and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fields", type=int, default=100_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        began = time.monotonic()
        write_cohort(folder, arguments.fields)
        print(f"{arguments.fields} fields written in {time.monotonic() - began:.0f} s", flush=True)
        for label, code in STEPS.items():
            done = subprocess.run(
                [sys.executable, "-c", MEASURE, name, code],
                cwd=name, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                sys.exit(done.stderr)
            seconds, busy, gigabytes = json.loads(done.stderr.splitlines()[-1])
            print(f"{label:42s} {seconds:7.1f} s {busy:7.1f} CPU s {gigabytes:6.2f} GB", flush=True)


if __name__ == "__main__":
    main()
