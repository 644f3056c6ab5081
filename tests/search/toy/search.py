"""A search whose job takes milliseconds: three folds of a function, each leaving a line in its directory."""

import os
import signal
import time
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from mds_lightning.search.plugin import register_search
from mds_lightning.search.trial import current_trial
from mds_lightning.studies.run_lock import BusyRunError

register_search()
os.environ["MDS_LIGHTNING_TARGETS"] = "search.identity"


def identity(config: DictConfig) -> dict[str, str]:
    return {"cohort": config.patients}


def score(x: float, y: float, fold: int) -> float:
    return 1 - (x - 0.3) ** 2 - (y - 0.7) ** 2 + 0.01 * fold


@hydra.main(config_path=str(Path(__file__).parent), config_name="search")
def main(config: DictConfig) -> float | None:
    directory = Path(HydraConfig.get().runtime.output_dir)
    trial = current_trial(config.get("hpo"))
    values = []
    several = range(config.folds if isinstance(config.folds, int) else config.folds.n_splits)
    folds = [config.fold] if OmegaConf.select(config, "search.nested") else several
    for step, fold in enumerate(folds):
        done = directory / f"fold-{fold}.txt"
        if not done.exists():
            time.sleep(config.seconds)
            begun = directory / f"{os.getpid()}.txt"
            begun.write_text(f"{config.x!r} {config.y!r} \n")
            os.link(begun, done)  # whole, and an error if another job was here
            begun.unlink()
        if config.misbehave == "die" and config.get("kind") == "b" and not (directory / "died").exists():
            (directory / "died").touch()
            os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when memory runs out
        turned = config.get("turned") and fold == 0
        values.append(score(1 - config.x if turned else config.x, config.y, fold))
        if trial is not None:
            trial.report_or_prune(values[-1], fold, remaining=len(folds) - 1 - step)
    if config.misbehave == "busy" and config.get("kind") == "b":
        raise BusyRunError(f"{directory} is being worked on by node7, process 1")
    if config.misbehave.startswith("signal-"):
        os.kill(os.getpid(), int(config.misbehave.removeprefix("signal-")))
    if config.misbehave == "raise":
        raise RuntimeError("no memory left")
    instead = {"none": None, "undefined": float("nan"), "text": "good"}
    return instead.get(config.misbehave, sum(values) / len(values))


if __name__ == "__main__":
    main()
