"""All notebooks run on a small study and are stored without outputs."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="no nbformat: pip install mds-lightning[notebooks]")
nbclient = pytest.importorskip("nbclient", reason="no nbclient: pip install mds-lightning[notebooks]")

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def test_there_are_four():
    assert [path.stem for path in NOTEBOOKS] == [
        "01_cohort", "02_inspect_run", "03_compare_folds", "04_occlusion",
    ]  # fmt: skip


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path, made_study, tmp_path, monkeypatch):
    run(path, made_study, tmp_path, monkeypatch)


def test_maps_of_other_methods_are_shown(make_study, tmp_path, monkeypatch):
    study = make_study(tmp_path, patients=12, method="layer_gradcam").write()
    results = run(FOLDER / "04_occlusion.ipynb", study, tmp_path, monkeypatch)
    table = next(output for output in results if "text/plain" in output.get("data", {}))
    assert "layer_gradcam" in table["data"]["text/plain"]
    assert [output for output in results if "image/png" in output.get("data", {})]


def run(path, study, tmp_path, monkeypatch):
    # Inline figures without a window; no settings of whoever runs the test.
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.read(path, as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert "parameters" in first.metadata.tags
    assert first.source.startswith('STUDY = "../runs/demo"')
    first.source = first.source.replace("../runs/demo", str(study))
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    results = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert [output for output in results if "data" in output], "nothing was shown"
    assert not [output for output in results if output.get("name") == "stderr"], "a cell complained"
    return results


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_has_no_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert not [cell for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")]
