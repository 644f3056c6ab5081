"""A manifest from somebody else: paths that lead anywhere, and text that other programs would run."""

import os

import pandas as pd
import pytest

from .conftest import Attack

CELLS = {
    "image": (
        "../../../../../../etc/passwd", "/etc/passwd", "link.png", "pipe.png", "http://{host}/1.png",
        "s3://{host}/1.png", "${{oc.env:HOME}}.png", "$(touch {marker}).png", "`touch {marker}`.png",
        "a;touch {marker};.png", "\\\\{host}\\share\\1.png", "file://{marker}",
    ),
    "label": ("${{oc.env:HOME}}", "=cmd|' /C touch {marker}'!A0", "<script src=//{host}></script>"),
    "patient_id": ("{{{{ config }}}}", "${{hydra:runtime.cwd}}", "!!python/name:os.system [{marker}]"),
    "site": ("@SUM(1+1)*cmd|'/C touch {marker}'!A0", "__import__('os').system('touch {marker}')"),
    "boxes": ("__import__('os').system('touch {marker}')", '[["{marker}"]]', "[[0,0,1e999,1]]"),
    "mask": ("../../../../../../etc/passwd", "http://{host}/1.png"),
}  # fmt: skip


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_manifest_is_only_read(attack: Attack, suffix: str) -> None:
    """check names the faults, train refuses; nothing that a cell says is run, called or opened."""
    [folder] = (attack.folder / "data").glob("simulated-*")
    good = pd.read_csv(folder / "manifest.csv", dtype=str, keep_default_na=False)
    os.mkfifo(folder / "pipe.png")
    (folder / "link.png").symlink_to("/etc/passwd")
    rows = [good]
    for column, cells in CELLS.items():
        for number, cell in enumerate(cells):
            row = good.iloc[[number]].copy()
            row["image"] = f"copy of {number}.png"
            row[column] = cell.format(host=attack.trap.host, marker=attack.marker)
            rows.append(row)
    table, manifest = pd.concat(rows).fillna(""), folder / f"hostile.{suffix}"
    table.to_csv(manifest, index=False) if suffix == "csv" else table.to_parquet(manifest, index=False)
    given = (f"cohort.manifest={manifest.relative_to(attack.folder)}", "folds.n_splits=2")
    checked = attack.command("check", *given)
    assert checked.returncode == 2
    assert "leads outside" in checked.stdout
    trained = attack.command("train", "study=other", *given)
    assert trained.returncode == 2
    assert "root:x:" not in checked.stdout + checked.stderr + trained.stderr
