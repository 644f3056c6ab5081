"""Structure of the repository: file sizes, file names, import cycles and where tests are."""

import graphlib
from collections import defaultdict
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "mds_lightning"
TESTS = ROOT / "tests"
FOLDERS = ("mds_lightning", "tests", "benchmarks", "docs")

MOST_LINES = 250

#: Files that are longer than they should be: split them, do not add to the list.
TOO_LONG: set[str] = set()

#: Base name to the reason why several files of the package have it.
SAME_NAME = {
    "calibration": "the figure of the statistic",
    "confusion": "the figure of the statistic",
    "decision": "the figure of the statistic",
    "precision_recall": "the figure of the statistic",
    "roc": "the figure of the statistic",
    "predictions": "the callback that writes the table, and the table",
    "check": "the base class of checks, and the command",
    "study": "what load_study opens, and the command",
    # To be renamed or shown to be mirrors.
    "progress": "to be renamed",
}

#: Test file to the reason why it tests no single module or sub-package of the same path.
NO_MODULE = {
    "data/test_cache_jobs.py": "several processes that fill one cache",
    "data/test_decode_refusals.py": "files that decode.py refuses",
    "data/test_faults.py": "faults that reach the loader from several modules",
    "data/test_hostile.py": "files that are made to do harm, through the whole room",
    "reporting/page/test_html_report_of_odd_studies.py": "html_report.py with odd names and missing parts",
    "data/test_remote.py": "remote images through cache and loader",
    "explain/incremental/run/test_random_graphs.py": "random networks through the whole engine",
    "explain/test_backbones.py": "every backbone through the engine",
    "reporting/figures/test_figures.py": "what all figures have in common",
    "reporting/test_new_metric.py": "a metric from its file to every table and the report",
    "reporting/test_evaluation_manifest.py": "what the manifest adds to an evaluation",
    "reporting/test_evaluation_refusals.py": "studies that evaluate refuses",
    "reporting/page/test_html_report_browser.py": "the report in a browser",
    "search/postgresql/test_workers.py": "workers with a database server",
    "search/slurm/test_cluster.py": "jobs on a SLURM of one node",
    "search/slurm/test_script.py": "experiments/slurm/search.sbatch",
    "search/slurm/test_train.py": "train through the SLURM launcher",
    "search/test_joblib.py": "jobs through the joblib launcher",
    "search/test_kill.py": "searches whose processes are killed",
    "search/test_null_selection.py": "benchmarks/blind_selection.py",
    "search/test_study_command.py": "study show and study clean on stored searches",
    "statistics/intervals/test_coverage.py": "benchmarks/coverage.py",
    "statistics/test_reference.py": "numbers of R's pROC for the whole room",
    "studies/test_damaged_files.py": "mutations of every file of a study",
    "studies/test_user_errors.py": "errors of users in every command",
    "studies/test_remedies.py": "following the advice of error messages",
    "studies/test_relative_paths.py": "commands called from another folder",
    "studies/test_remote.py": "a study of images in a bucket",
    "studies/test_search.py": "a search from the first trial to the report",
    "studies/test_seeds.py": "a study of several seeds from training to the report",
    "studies/test_view.py": "a study of tiles",
    "models/test_checkpoints.py": "checkpoints of a classifier",
    "models/test_training.py": "training a classifier with Lightning",
    "hostile/test_manifest.py": "a manifest that is made to do harm",
    "hostile/test_network.py": "calls of all verbs to other machines",
    "hostile/test_store.py": "a study.db that is made to do harm",
    "hostile/test_study.py": "studies that are made to do harm",
    "notebooks/test_notebooks.py": "notebooks/",
    "test_conf.py": "conf/",
    "test_docs.py": "docs/",
    "test_experiments.py": "experiments/",
    "test_structure.py": "the repository",
}


def python_files() -> list[Path]:
    return [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_file_is_longer_than_the_limit():
    long = {str(path.relative_to(ROOT)) for path in python_files() if lines(path) > MOST_LINES}
    assert not long - TOO_LONG


def test_a_file_name_occurs_once_in_the_package():
    places = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.stem != "__init__":
            places[path.stem].append(str(path.relative_to(PACKAGE)))
    twice = {name: files for name, files in places.items() if len(files) > 1 and name not in SAME_NAME}
    assert not twice


def mirrored(test: Path) -> list[Path]:
    """Paths of the package that a test file may mirror: a module, a sub-package or, in studies, a verb."""
    name = test.stem.removeprefix("test_")
    rooms = [test.parent] if test.parent != Path("studies") else [test.parent, Path("commands")]
    return [PACKAGE / room / end for room in rooms for end in (f"{name}.py", name)]


def test_tests_mirror_the_package():
    tests = {path.relative_to(TESTS) for path in TESTS.rglob("test_*.py")}
    strays = [
        str(test)
        for test in sorted(tests)
        if str(test) not in NO_MODULE and not any(path.exists() for path in mirrored(test))
    ]
    assert not strays


def test_no_module_imports_itself_through_others():
    graph = grimp.build_graph("mds_lightning", cache_dir=None, exclude_type_checking_imports=True)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    # Raises CycleError, which names the modules.
    graphlib.TopologicalSorter(imports).prepare()
