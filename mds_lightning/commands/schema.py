"""The keys of every verb; a mistyped key or value is refused when the configuration is composed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from hydra.core.config_store import ConfigStore

from mds_lightning.cohort.cohort_parameters import CohortLocation, CohortParameters
from mds_lightning.cohort.split_parameters import SplitParameters
from mds_lightning.cohort.task import TaskParameters
from mds_lightning.commands.derived_schema import CHANGES, derive_node
from mds_lightning.commands.train_keys import Paths, TrainParameters
from mds_lightning.data.data_parameters import DataParameters
from mds_lightning.explain.parameters import ExplanationParameters
from mds_lightning.statistics.estimates import Settings


@dataclass(frozen=True, kw_only=True)
class SimulateParameters:
    """The keys of `mds-lightning simulate`.

    Attributes:
        cohort: What is simulated.
        paths: Where it is written.
        experiment: Not used; allows the name of an experiment to be given to every verb.
    """

    cohort: CohortParameters
    paths: Paths
    experiment: Any = None


@dataclass(frozen=True, kw_only=True)
class CheckParameters:
    """The keys of `mds-lightning check`.

    Attributes:
        cohort: Manifest and images.
        task: Labels that are classified.
        folds: Split that is tried.
        data: Limits of the images.
        ignore: Codes of checks that are not applied, such as [MDS004].
        output: JSON file for the result; null: none.
        paths: Where a simulated cohort is.
    """

    cohort: CohortParameters
    task: TaskParameters
    folds: SplitParameters
    data: DataParameters
    ignore: Sequence[str] = ()
    output: str | None = None
    paths: Paths


@dataclass(frozen=True, kw_only=True)
class TestParameters:
    """The keys of `mds-lightning test`.

    Attributes:
        study: Folder of the study, such as runs/search.
        trials: Trials that are tested: in each fold the one that its validation patients prefer (`selected`),
            or `all` complete trials.
        maps: Number of test images per fold that are explained; -1: all.
        accelerator: cpu or gpu; null: as trained.
        num_workers: Number of processes that decode images; null: as trained.
        cohort: Where the cohort is now; null: where it was in training, on this machine.
        paths: The folders of all output.
    """

    study: str
    trials: Literal["selected", "all"] = "selected"
    maps: int = 0
    accelerator: str | None = None
    num_workers: int | None = None
    cohort: CohortLocation
    paths: Paths


@dataclass(frozen=True, kw_only=True)
class ExplainParameters:
    """The keys of `mds-lightning explain`.

    Attributes:
        run: Folder of a finished run, such as runs/demo/resnet18/fold-0; null: `study` is given.
        study: Folder of a study: every fold explains its own test images; null: `run` is given.
        variant: Variant of the study; null: the only one.
        seed: Seed of the study, if it was trained with several; null: the first one.
        images: `all` test images; a number of them, balanced over the classes; names as in the manifest, one
            or [several]; or a file that is not in the cohort.
        output: Folder of the maps; null: the run's folder of the method, where evaluate and report read them.
        plan: Print what is computed for each covered view, and write nothing.
        device: cpu, cuda or cuda:1; auto: cuda where available.
        cohort: Where the cohort is now; null: where it was in training, on this machine.
        explain: How images are explained; null: as in training.
        paths: The folders of all output.
    """

    run: str | None = None
    study: str | None = None
    variant: str | None = None
    seed: int | None = None
    images: str | int | Sequence[str] = "all"
    output: str | None = None
    plan: bool = False
    device: str = "auto"
    cohort: CohortLocation
    explain: Annotated[ExplanationParameters, CHANGES]
    paths: Paths


@dataclass(frozen=True, kw_only=True)
class ReportParameters(Settings):
    """The keys of `mds-lightning report`.

    Attributes:
        study: Folder of the study, such as runs/mds_vs_donor.
        output: Folder of the results; null: evaluation in the study.
        cohort: Where the cohort is now; null: where it was in training, on this machine.
        paths: The folders of all output.
    """

    study: str
    cohort: CohortLocation
    output: str | None = None
    paths: Paths


@dataclass(frozen=True, kw_only=True)
class EvaluateParameters(ReportParameters):
    """The keys of `mds-lightning evaluate`.

    Attributes:
        selection: `none`: every variant by itself. `inner_validation`: each fold is tested with the variant
            that its own validation patients prefer; the estimate after choosing on the test folds is shown
            next to it.
    """

    selection: Literal["none", "inner_validation"] = "none"


@dataclass(frozen=True, kw_only=True)
class StudyParameters:
    """The keys of `mds-lightning study`.

    Attributes:
        action: `show` the trials, `clean` up after killed workers, `publish` the W&B dashboard, or
            `verify` the files.
        study: Folder of the study, such as runs/mds_vs_donor.
        storage: Storage of the study if it is not its study.db: postgresql+psycopg2://USER@HOST/DATABASE or
            journal:///SHARED/FILE.
        refresh: show: seconds between updates while trials run; 0: show once.
        running: clean: running trials that are ended: of workers that have certainly stopped (`gone`), or
            `all`.
        entity: publish: W&B user or team of the runs; null: WANDB_ENTITY, or the account's default.
        project: publish: W&B project of the runs; null: the one they were logged to.
        timeout: publish: seconds to wait for the W&B server.
        paths: The folders of all output.
    """

    action: Literal["show", "clean", "publish", "verify"] = "show"
    study: str
    storage: str | None = None
    refresh: float = 2.0
    running: Literal["gone", "all"] = "gone"
    entity: str | None = None
    project: str | None = None
    timeout: float = 30.0
    paths: Paths


PARAMETERS: dict[str, type] = {
    "simulate": SimulateParameters,
    "check": CheckParameters,
    "train": TrainParameters,
    "explain": ExplainParameters,
    "test": TestParameters,
    "evaluate": EvaluateParameters,
    "report": ReportParameters,
    "study": StudyParameters,
}


def register_schemas() -> None:
    """Register the schema of every verb; `conf/<verb>.yaml` names it first in its defaults."""
    store = ConfigStore.instance()
    for verb, parameters in PARAMETERS.items():
        store.store(name=f"{verb}_schema", node=derive_node(parameters), replace=True)
