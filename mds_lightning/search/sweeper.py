"""A sweep that can be interrupted at any point and shared by several workers, with the same result."""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import optuna
from hydra_plugins.hydra_optuna_sweeper._impl import OptunaSweeperImpl
from omegaconf import DictConfig, OmegaConf
from optuna.study import Study
from optuna.trial import TrialState

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.search.begun import is_begun
from mds_lightning.search.blindness import identify_proposals, is_blind
from mds_lightning.search.cost import describe_cost
from mds_lightning.search.grid import GridPlan, grid_cells, is_grid
from mds_lightning.search.identity import ChangedSweepError, claim_identity, identity_of
from mds_lightning.search.loop import SweepLoop
from mds_lightning.search.nested import (
    OUTER_FOLD,
    list_outer_folds,
    name_study,
    refuse_other_kind,
    seed_of_fold,
)
from mds_lightning.search.permitted_targets import (
    IDENTITIES,
    PRUNERS,
    SAMPLERS,
    find_function,
    refuse_other_name,
    refuse_other_targets,
)
from mds_lightning.search.plan import FINISHED, Plan, SearchPlan
from mds_lightning.search.progress import SweepProgress
from mds_lightning.search.proposal import Proposals
from mds_lightning.search.retry import retire_dead
from mds_lightning.search.space import Space, read_space
from mds_lightning.search.store import Store, open_store
from mds_lightning.search.sweep_checks import refuse_submitted_search, refuse_subprocess_ddp
from mds_lightning.search.swept_seeds import add_seeds
from mds_lightning.search.termination import Termination
from mds_lightning.search.trial import build_pruner

log = logging.getLogger(__name__)


class StudySweeperImpl(OptunaSweeperImpl):
    """See `mds_lightning.search.plugin.StudySweeperConf` for the options."""

    def __init__(
        self,
        *,
        seed: int,
        pruner: DictConfig | None,
        identity: str | None,
        heartbeat: int,
        grace: int,
        max_kills: int,
        poll: float,
        **stock: Any,
    ) -> None:
        if stock["custom_search_space"]:
            refuse_other_name(stock["custom_search_space"], "hydra.sweeper.custom_search_space", ())
        refuse_other_targets(stock["sampler"], "hydra.sweeper.sampler", SAMPLERS)
        refuse_other_targets(pruner, "hydra.sweeper.pruner", PRUNERS)
        super().__init__(**stock)
        own = OmegaConf.select(self.sampler, "seed")
        self._seed = seed if own is None else own
        self._pruner = pruner
        self._identity = identity
        self._heartbeat, self._grace = heartbeat, grace
        self._max_kills = max_kills
        self._poll = poll

    def sweep(self, arguments: list[str]) -> None:
        """Run trials until the study is complete; other workers may run some of them."""
        assert self.config is not None, "Hydra calls setup first"
        self._process_searchspace_config()
        refuse_subprocess_ddp(self.config)
        space = read_space([*self._parse_sweeper_params_config(), *arguments])
        space = add_seeds(space, self.config, is_grid(self.sampler))
        if not is_grid(self.sampler):
            refuse_submitted_search(self.config)
        folds = list_outer_folds(self.config, is_grid(self.sampler))
        # Before a lock is held: this may simulate a cohort.
        extra = self._identify(self.config)
        with Termination() as termination:
            loops = [self._open(space, fold, extra, termination) for fold in folds]
            if not is_grid(self.sampler):
                log.info("%s", self._describe_cost(loops, self.config))
            # A worker without work goes on with the next fold, and waits for other workers at the end.
            for is_last in [False, True] if len(loops) > 1 else [True]:
                for loop in loops:
                    with loop.progress:
                        loop.run(wait=is_last)
        for loop, fold in zip(loops, folds, strict=True):
            self._conclude(loop, fold)

    def _open(
        self, space: Space, fold: int | None, extra: Mapping[str, str], termination: Termination
    ) -> SweepLoop:
        """The loop of the only study, or of the study of one fold of a nested search."""
        assert self.config is not None, "Hydra calls setup first"
        assert self.launcher is not None, "Hydra calls setup first"
        plan, base = self._plan(space, self.config, fold), self._study_name_of(space)
        name = name_study(base, fold)
        store = open_store(self.storage, name, self._heartbeat, self._grace)
        with store.lock(), termination.held():
            if not is_grid(self.sampler):
                refuse_other_kind(store, base, fold is not None)
            study = self._open_study(store, plan, name, space, fold, extra)
            if study.user_attrs.get("n_trials") != plan.total:
                study.set_user_attr("n_trials", plan.total)  # for `study show`
        log.info("study %s at %s", name, store.shown)
        return SweepLoop(
            study, store, plan, self.launcher, termination, SweepProgress(name, plan.total),
            n_jobs=self.n_jobs, max_failure_rate=self.max_failure_rate,
            max_kills=self._max_kills, poll=self._poll,
        )  # fmt: skip

    def _describe_cost(self, loops: Sequence[SweepLoop], config: DictConfig) -> str:
        finished = sum(loop.plan.finished(loop.study.get_trials(deepcopy=False)) for loop in loops)
        n_folds = OmegaConf.select(config, "folds.n_splits", default=1)
        return describe_cost(self.n_trials, n_folds, len(loops) > 1, finished)

    def _identify(self, config: DictConfig) -> Mapping[str, str]:
        if not self._identity:
            return {}
        found: Mapping[str, str] = find_function(self._identity, "hydra.sweeper.identity", IDENTITIES)(config)
        return found

    def _plan(self, space: Space, config: DictConfig, fold: int | None) -> Plan:
        if is_grid(self.sampler):
            return GridPlan(space, grid_cells(space, self._to_grid_sampler_choices))
        proposals = Proposals(space, self.sampler, seed_of_fold(self._seed, fold))
        blind = is_blind(self.sampler, self._pruner, fold is not None)
        return SearchPlan(proposals, self.n_trials, config, blind, self.custom_search_space_extender, fold)

    def _study_name_of(self, space: Space) -> str:
        """The name of the study; a grid with other cells is another study."""
        if not self.study_name:
            raise ValueError("hydra.sweeper.study_name: a study needs a name to be found again")
        if not is_grid(self.sampler):
            return self.study_name
        cells = hashlib.sha256(repr(sorted(map(str, space.distributions.items()))).encode()).hexdigest()[:8]
        return f"{self.study_name} {' x '.join(space.distributions)} {cells}"

    def _open_study(
        self, store: Store, plan: Plan, name: str, space: Space, fold: int | None, extra: Mapping[str, str]
    ) -> Study:
        directions = self._get_directions()
        kind: Literal["grid", "search"] = "grid" if is_grid(self.sampler) else "search"
        if kind == "search":
            extra = {**extra, **identify_proposals(self.sampler, self._pruner, fold is not None)}
        if fold is not None:
            extra = {**extra, OUTER_FOLD: str(fold)}
        identity = identity_of(kind, space.distributions, directions, extra)
        study = self._create_study(store, name, directions)
        try:
            claim_identity(study, identity)
        except ChangedSweepError as error:
            retire_dead(study, plan.requeues, self._max_kills)
            if is_begun(study, Path(str(self.sweep_dir))):
                raise
            log.warning("%s\nNothing was trained with the former settings: it starts again", error.difference)
            optuna.delete_study(study_name=name, storage=store.storage)
            study = self._create_study(store, name, directions)
            claim_identity(study, identity)
        return study

    def _create_study(self, store: Store, name: str, directions: list[str]) -> Study:
        return optuna.create_study(
            study_name=name,
            storage=store.storage,
            pruner=build_pruner(self._pruner),
            directions=cast(list[Literal["minimize", "maximize"]], directions),
            load_if_exists=True,
        )

    def _conclude(self, loop: SweepLoop, fold: int | None) -> None:
        study, plan = loop.study, loop.plan
        trials = study.get_trials(deepcopy=False, states=FINISHED)
        if loop.skipped:
            log.warning(
                "%d of %d trials are trained by other processes; run the same command later to complete the "
                "study",
                *(loop.skipped, plan.total),
            )
        else:
            log.info("study %s is complete: %d trials", study.study_name, plan.total)
        if not plan.requeues:
            if loop.failures:
                log.warning("%d trials failed; the same command runs them again", loop.failures)
        elif any(trial.state is TrialState.COMPLETE for trial in trials):
            self._write_results(study, fold)

    def _write_results(self, study: Study, fold: int | None) -> None:
        """`optimization_results.yaml`, as hydra-optuna-sweeper writes it; one for each fold if nested."""
        results: dict[str, Any] = {"name": "optuna"}
        if len(study.directions) == 1:
            results |= {"best_params": study.best_params, "best_value": study.best_value}
            log.info("%s, best: %s with %s", study.study_name, study.best_value, study.best_params)
        else:
            results["solutions"] = [{"params": t.params, "values": t.values} for t in study.best_trials]
        ending = "" if fold is None else f"_fold-{fold}"
        with write_atomically(Path(str(self.sweep_dir)) / f"optimization_results{ending}.yaml") as temporary:
            OmegaConf.save(OmegaConf.create(results), temporary)
