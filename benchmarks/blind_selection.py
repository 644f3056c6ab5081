"""Selection without signal: the ROC-AUC of variants that a search proposes and each fold selects.

    python -m benchmarks.blind_selection                # 50 searches of 50 trials each, minutes on one core
    python -m benchmarks.blind_selection --searches 20

Labels are independent of everything, so that every model has a true ROC-AUC of 0.5, and an unbiased
procedure reports 0.5 on average. The settings of a trial are the weights of eight frozen random features of a
patient, so that a sampler can learn which weights suit the patients it sees. The trials are proposed, pruned
and selected by the code of `mds-lightning train` and `mds-lightning evaluate`.

`search_paired` shows blindness without chance: each search is repeated with exchanged labels of the test
patients of one fold. A blind search selects the same variant in that fold, whose two ROC-AUCs have the mean
0.5 exactly.
"""

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import optuna
import pandas as pd
from numpy.typing import NDArray
from omegaconf import DictConfig, OmegaConf
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState
from scipy.special import expit
from scipy.stats import rankdata

from mds_lightning.search.blindness import is_blind
from mds_lightning.search.nested import seed_of_fold
from mds_lightning.search.plan import SearchPlan
from mds_lightning.search.proposal import Proposals
from mds_lightning.search.space import Space
from mds_lightning.search.trial import build_pruner
from mds_lightning.statistics.metrics.roc_auc import score_auroc
from mds_lightning.statistics.predictions import Predictions
from mds_lightning.studies.selection import choose_variants
from mds_lightning.studies.trial_names import name_trial
from mds_lightning.studies.worker import Worker

FOLDS, FEATURES = 5, 8
SPACE = Space({f"weight_{k}": FloatDistribution(-1, 1) for k in range(FEATURES)}, ())
_WILCOXON = {"_target_": "optuna.pruners.WilcoxonPruner", "p_threshold": 0.13, "n_startup_steps": 2}
_TPE = "optuna.samplers.TPESampler"


@dataclass(frozen=True)
class Method:
    """A way to search.

    Attributes:
        sampler: Class of the sampler.
        pruner: Configuration of the pruner, None for none.
        nested: Whether each fold has a search of its own.
    """

    sampler: str
    pruner: Mapping[str, object] | None = None
    nested: bool = False


METHODS = {
    "Sobol sequence (sweep=hyperparameters)": Method("mds_lightning.search.sobol_sampler.SobolSampler"),
    "random": Method("optuna.samplers.RandomSampler"),
    "TPE": Method(_TPE),
    "TPE and Wilcoxon pruner (sweep=hyperparameters_tpe)": Method(_TPE, _WILCOXON),
    "TPE in each fold (search.nested=true)": Method(_TPE, nested=True),
}


class NullCohort:
    """Patients whose features have no relation to their label.

    A patient is a test patient of one fold and a validation patient of the next.

    Args:
        patients: Half of them are positive.
        seed: Of their features.
        exchanged: Fold whose test patients have the other label; None: no fold.
    """

    def __init__(self, patients: int, seed: int, exchanged: int | None = None) -> None:
        generator = np.random.default_rng(seed)
        self._features = generator.normal(size=(patients, FEATURES))
        self._target = np.arange(patients) % 2
        self._fold = np.arange(patients) // 2 % FOLDS
        self._target = np.where(self._fold == exchanged, 1 - self._target, self._target)

    def predict(self, settings: Mapping[str, float]) -> Predictions:
        """Validation and test rows of every fold, by models with these settings."""
        probability = expit(self._features @ np.array([settings[name] for name in SPACE.distributions]))
        parts = [self._rows(probability, "test", self._fold)]
        parts.append(self._rows(probability, "val", (self._fold + 1) % FOLDS))
        return Predictions(pd.concat(parts, ignore_index=True), ("donor", "MDS"))

    def _rows(self, probability: NDArray[np.float64], split: str, fold: NDArray[np.int64]) -> pd.DataFrame:
        names = np.char.add("p", np.arange(len(fold)).astype(str))
        return pd.DataFrame(
            {
                "image": names, "patient_id": names, "site": "", "fold": fold, "split": split,
                "label": np.array(["donor", "MDS"])[self._target], "target": self._target,
                "prob_donor": 1 - probability, "prob_MDS": probability,
            }
        )  # fmt: skip


def search(method: Method, cohort: NullCohort, n_trials: int, seed: int) -> NDArray[np.float64]:
    """Test ROC-AUC of the variant that each fold selects; shape (folds,)."""
    trials: dict[str, Predictions] = {}
    for outer in range(FOLDS) if method.nested else [None]:
        trials |= _search_once(method, cohort, n_trials, seed, outer)
    chosen = choose_variants(trials).chosen
    test = [trials[chosen[fold]].split("test").of_fold(fold) for fold in range(FOLDS)]
    return np.array([score_auroc(rows.table) for rows in test])


def search_paired(
    method: Method, patients: int, n_trials: int, seed: int, folds: Sequence[int] = range(FOLDS)
) -> NDArray[np.float64]:
    """Mean ROC-AUC with true and with exchanged labels of the test patients of a fold; shape (folds,)."""
    plain = search(method, NullCohort(patients, seed), n_trials, seed)
    exchanged = [search(method, NullCohort(patients, seed, fold), n_trials, seed)[fold] for fold in folds]
    return (plain[list(folds)] + np.array(exchanged)) / 2


def _search_once(
    method: Method, cohort: NullCohort, n_trials: int, seed: int, outer: int | None
) -> dict[str, Predictions]:
    """Name to rows of the complete trials of one study."""
    sampler, pruner = OmegaConf.create({"_target_": method.sampler}), _pruner(method)
    study = optuna.create_study(direction="maximize", pruner=build_pruner(pruner))
    proposals = Proposals(SPACE, sampler, seed_of_fold(seed, outer))
    blind = is_blind(sampler, pruner, method.nested)
    plan = SearchPlan(proposals, n_trials, OmegaConf.create(), blind, fold=outer)
    worker, trials = Worker.here(), {}
    while plan.has_work(study.get_trials(deepcopy=False)):
        trial = plan.start(study, worker)
        rows = cohort.predict(trial.params)
        if outer is not None:
            rows = rows.of_fold(outer)
        state, value = _validate(trial, rows)
        study.sampler = plan.sampler(study, study._storage.get_trial(trial._trial_id))
        study.tell(trial, value, state)
        if state is TrialState.COMPLETE:
            trials[name_trial(trial.number, outer)] = rows
    return trials


def _pruner(method: Method) -> DictConfig | None:
    return None if method.pruner is None else OmegaConf.create(dict(method.pruner))


def _validate(trial: optuna.Trial, rows: Predictions) -> tuple[TrialState, float | None]:
    table = rows.split("val").table
    scores: list[float] = []
    n_folds = table["fold"].nunique()
    for fold, part in table.groupby("fold"):
        scores.append(_rank_auc(part["prob_MDS"].to_numpy(), part["target"].to_numpy(bool)))
        trial.report(scores[-1], int(str(fold)))
        if len(scores) < n_folds and trial.should_prune():
            return TrialState.PRUNED, None
    return TrialState.COMPLETE, float(np.mean(scores))


def _rank_auc(score: NDArray[np.float64], positive: NDArray[np.bool_]) -> float:
    """ROC-AUC from ranks, fast enough for every fold of every trial."""
    n = int(positive.sum())
    return float((rankdata(score)[positive].mean() - (n + 1) / 2) / (len(score) - n))


def repeat(method: Method, searches: int, n_trials: int, patients: int, seed: int = 0) -> NDArray[np.float64]:
    """Results of `search` on as many cohorts; shape (searches,)."""
    seeds = range(seed, seed + searches)
    return np.array([search(method, NullCohort(patients, k), n_trials, k).mean() for k in seeds])


def main() -> None:
    """Print a table of all methods."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--searches", type=int, default=50)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--patients", type=int, default=200)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print(
        f"{options.searches} searches of {options.trials} trials, {options.patients} patients, {FOLDS} folds"
    )
    print("| trials proposed by | mean ROC-AUC of the selected variants | standard error |\n|---|---|---|")
    began = time.process_time()
    for name, method in METHODS.items():
        values = repeat(method, options.searches, options.trials, options.patients)
        error = values.std(ddof=1) / len(values) ** 0.5
        print(f"| {name} | {values.mean():.3f} | {error:.3f} |", flush=True)
    print(f"{time.process_time() - began:.0f} s CPU")


if __name__ == "__main__":
    main()
