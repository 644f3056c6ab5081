"""The command `mds-lightning VERB [KEY=VALUE ...]`: finds the verb and runs it through Hydra."""

import io
import sys
from difflib import get_close_matches
from pathlib import Path

VERBS = {
    "simulate": "draw bone-marrow smears with masks and a manifest",
    "check": "list all faults of a manifest and its images",
    "train": "train and test one fold; -m: every fold, and every backbone given",
    "test": "predict the test patients of a search with the models selected on validation",
    "explain": "write maps of images, by the model of the fold that held out their patients",
    "evaluate": "pool the folds of a study: metrics with intervals, tables, figures",
    "report": "write a self-contained HTML page of a study",
    "study": "show a sweep; study clean: after killed workers, study publish: to W&B, study verify: files",
}

_USAGE = """\
usage: mds-lightning VERB [KEY=VALUE ...]

{verbs}

  mds-lightning VERB --help     every key of the verb: type, value and documentation
  mds-lightning VERB --cfg job  the composed configuration as YAML

examples:
  mds-lightning check cohort.manifest=smears/manifest.csv task=mds_vs_donor
  mds-lightning train -m experiment=mds_vs_donor cohort.manifest=smears/manifest.csv
  mds-lightning evaluate study=runs/mds_vs_donor"""


def conf_directory() -> Path:
    """Hydra's configuration: in the package of an installed wheel, at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "conf"
    return installed if installed.is_dir() else package.parent / "conf"


def main() -> None:
    """Run `sys.argv`; exits 0 on success, 1 on a bug, 2 on an error of the user."""
    # A terminal that cannot show a character gets its code (\xe4) instead of an error.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_USAGE.format(verbs="\n".join(f"  {verb:9} {what}" for verb, what in VERBS.items())))
        return
    if arguments[0] == "--version":
        from mds_lightning import __version__

        print(__version__)
        return
    verb, *overrides = arguments
    if verb not in VERBS:
        near = get_close_matches(verb, VERBS, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"choose one of {', '.join(VERBS)}"
        print(f"mds-lightning: '{verb}' is not a verb: {hint}", file=sys.stderr)
        raise SystemExit(2)

    if verb == "study" and overrides and overrides[0].isalpha():
        overrides[0] = f"action={overrides[0]}"

    if "--help" in overrides or "-h" in overrides:
        from mds_lightning.cli.user_errors import report_user_errors
        from mds_lightning.cli.verb_help import describe_verb

        with report_user_errors(verb, conf_directory()):
            print(describe_verb(verb, VERBS[verb], overrides, conf_directory()))
        return

    from mds_lightning.cli.verb import run_verb

    run_verb(verb, overrides, conf_directory())
