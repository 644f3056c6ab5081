"""`mds-lightning study show|clean|publish|verify`: trials of a sweep, its dashboard, its files."""

import logging
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig
from rich import box
from rich.console import Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mds_lightning.commands.publish import publish
from mds_lightning.commands.verify import verify
from mds_lightning.commands.visible_console import Visible, open_console
from mds_lightning.search.cleaning import Cleaning, clean_study
from mds_lightning.search.inspection import StudyView, TrialView, view_studies
from mds_lightning.search.store import Store, open_store, require_store
from mds_lightning.studies.verification import StudyVerification

log = logging.getLogger(__name__)

_ACTIONS = ("show", "clean", "publish", "verify")
_STYLES = {"complete": "green", "pruned": "yellow", "running": "cyan", "waiting": "dim", "fail": "red"}
#: A terminal shows this many of the newest trials; a file gets all of them.
_MOST_ROWS = 40


def study(config: DictConfig) -> Sequence[StudyView] | Sequence[Cleaning] | StudyVerification | str:
    """Show, clean, publish or verify the study whose directory is `config.study`.

    Args:
        config: `conf/study.yaml`.

    Returns:
        What was shown or done, one record per study in the storage.

    Raises:
        ValueError: There is no such study, or no such action.
    """
    if config.action not in _ACTIONS:
        raise ValueError(f"study {config.action}: choose one of {', '.join(_ACTIONS)}")
    if config.action == "publish":
        return publish(config)
    if config.action == "verify":
        return verify(config)
    directory = Path(config.study)
    url = config.storage or f"sqlite:///{directory}/study.db"
    require_store(url)
    # The resolved path also has a name if it is given as `.`.
    called = directory.resolve().name
    store = open_store(url, called, create=False)
    # The storage in the directory holds this study alone, under the name that it had before it was renamed.
    name = called if config.storage else None
    if not _views(store, name):
        raise ValueError(f"{store.shown} has no study called {called}: check study= and storage=")
    return (_show if config.action == "show" else _clean)(store, name, config)


def _views(store: Store, name: str | None) -> list[StudyView]:
    return list(view_studies(store, name))


def _show(store: Store, name: str | None, config: DictConfig) -> Sequence[StudyView]:
    console = open_console(200)
    views = _views(store, name)
    if console.is_terminal and config.refresh:
        with Live(Visible(draw(views, _MOST_ROWS)), console=console, auto_refresh=False) as live:
            while any(trial.state == "running" for view in views for trial in view.trials):
                time.sleep(config.refresh)
                views = _views(store, name)
                live.update(Visible(draw(views, _MOST_ROWS)), refresh=True)
    else:
        console.print(draw(views))
    url = shlex.quote(store.shown.removeprefix("journal://"))
    console.print(
        f"In a browser: pip install optuna-dashboard; optuna-dashboard {url}", style="dim", soft_wrap=True
    )
    return views


def _clean(store: Store, name: str | None, config: DictConfig) -> Sequence[Cleaning]:
    if config.running not in ("gone", "all"):
        raise ValueError(f"running={config.running}: choose gone (workers known to have ended) or all")
    cleanings = [
        clean_study(store, view.name, everyone=config.running == "all") for view in _views(store, name)
    ]
    for cleaning in cleanings:
        log.info("%s: %d running trials ended and queued again", cleaning.study, len(cleaning.retired))
        for number, worker in cleaning.left.items():
            log.warning("%s: trial %d may still be running on %s", cleaning.study, number, worker)
        if cleaning.left:
            log.warning("running=all ends them too; use it only if no worker is running")
    return cleanings


def draw(views: Sequence[StudyView], most_rows: int | None = None) -> Group:
    """One table per study, each with a headline."""
    return Group(*(part for view in views for part in (_headline(view), _table(view, most_rows))))


def _headline(view: StudyView) -> Text:
    running = sum(trial.state == "running" for trial in view.trials)
    total = "" if view.n_trials is None else f" of {view.n_trials}"
    parts = [f"{view.finished}{total} finished", f"{running} running"]
    if view.best is not None:
        parts.append(f"best {view.best.value:.4f} ({view.best.variant})")
    if view.time_left is not None:
        parts.append(f"about {view.time_left} left")
    return Text.assemble((view.name, "bold"), f": {', '.join(parts)}")


def _table(view: StudyView, most_rows: int | None) -> Table:
    keys = sorted({key for trial in view.trials for key in trial.params})
    table = Table("trial", "state", "directory", *keys, "folds", "value", "time", "", box=box.SIMPLE_HEAD)
    shown = view.trials if most_rows is None else view.trials[-most_rows:]
    for trial in shown:
        style = "bold green" if trial == view.best else _STYLES.get(trial.state, "")
        table.add_row(*map(Text, _cells(trial, keys)), style=style)
    return table


def _cells(trial: TrialView, keys: Sequence[str]) -> list[str]:
    value = "" if trial.value is None else f"{trial.value:.4f}"
    seconds = "" if trial.seconds is None else f"{trial.seconds:.0f} s"
    params = [_short(trial.params.get(key, "")) for key in keys]
    variant = "/".join(Path(trial.variant).parts[-2:])
    note = trial.note.splitlines()[0] if trial.note else ""
    return [
        str(trial.number),
        trial.state,
        variant,
        *params,
        str(len(trial.steps) or ""),
        value,
        seconds,
        note,
    ]


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
