"""What a job of a sweep costs beside its training.

    python -m benchmarks.job_overhead       # about two minutes on two cores

The same folds of the same model are run twice: by `mds-lightning train -m`, and in a bare process that only
calls `Trainer.fit` and `Trainer.test`. The first job of each also pays for imports and is left out. Wall time
is of use on an idle machine; CPU time tells nearly the same on a busy one.
"""

import os
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

N_SPLITS = 5
#: A cohort and a model small enough that the overhead is what one sees.
OVERRIDES = (
    "study=overhead",
    "cohort.simulation.patients={MDS:20,AML:0,donor:20}",
    "cohort.simulation.width=320",
    "cohort.simulation.height=240",
    "backbone=shufflenet_v2_x0_5",
    "data.image_size=160",
    "trainer.max_epochs=3",
    f"folds.n_splits={N_SPLITS}",
    "callbacks.occlusion_maps.images=0",
)
Stamp = tuple[float, float]


def now() -> Stamp:
    """Wall and CPU seconds."""
    return time.perf_counter(), time.process_time()


def run_sweep() -> None:
    """`mds-lightning train -m`, printing the time at the end of each job."""
    from mds_lightning.cli import main
    from mds_lightning.search.loop import SweepLoop

    tell = SweepLoop._tell

    def tell_and_print(*arguments):
        outcome = tell(*arguments)
        print(*now(), flush=True)
        return outcome

    SweepLoop._tell = tell_and_print
    sys.argv = ["mds-lightning", "train", "-m", *OVERRIDES]
    main()


def run_bare() -> None:
    """Fit and test every fold and nothing else, printing the time after each."""
    import lightning
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    from mds_lightning.cli import conf_directory
    from mds_lightning.commands.schema import register_schemas
    from mds_lightning.search.plugin import register_search
    from mds_lightning.studies.layout import RunDirectory
    from mds_lightning.studies.run_components import build_classifier, build_datamodule
    from mds_lightning.studies.study_cohort import prepare_study_cohort

    register_schemas()
    register_search()
    jobs = []
    with initialize_config_dir(str(conf_directory())):
        for fold in range(N_SPLITS):
            config = compose("train", [*OVERRIDES, f"fold={fold}"])
            settings = OmegaConf.to_container(config, resolve=True)
            opened = prepare_study_cohort(settings)
            run, of_fold = RunDirectory(Path("bare")), opened.folds.fold(fold)
            datamodule = build_datamodule(settings, run, opened, of_fold, ("val",))
            classifier = build_classifier(settings, opened.task, datamodule)
            jobs.append((classifier, datamodule))
    for classifier, datamodule in jobs:
        trainer = lightning.Trainer(
            accelerator="cpu", devices=1, max_epochs=config.trainer.max_epochs, deterministic=True,
            num_sanity_val_steps=0, log_every_n_steps=1, use_distributed_sampler=False, logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(classifier, datamodule=datamodule)
        trainer.test(classifier, datamodule=datamodule, verbose=False)
        print(*now(), flush=True)


def measure(mode: str, folder: Path) -> Stamp:
    """Median wall and CPU seconds of the second and later jobs."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-m", "benchmarks.job_overhead", mode]
    done = subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    stamps = [tuple(map(float, line.split())) for line in done.stdout.splitlines()]
    wall, cpu = zip(*stamps, strict=True)
    return median(b - a for a, b in pairwise(wall)), median(b - a for a, b in pairwise(cpu))


def main() -> None:
    """Print both and their difference."""
    with tempfile.TemporaryDirectory() as folder:
        sweep, bare = (measure(mode, Path(folder)) for mode in ("sweep", "bare"))
    print(f"a job of a sweep  {sweep[0]:.2f} s ({sweep[1]:.2f} s CPU)")
    print(f"fit and test      {bare[0]:.2f} s ({bare[1]:.2f} s CPU)")
    print(f"overhead a job    {sweep[0] - bare[0]:.2f} s ({sweep[1] - bare[1]:.2f} s CPU); aim: under 1.5 s")


if __name__ == "__main__":
    {"sweep": run_sweep, "bare": run_bare}.get(" ".join(sys.argv[1:2]), main)()
