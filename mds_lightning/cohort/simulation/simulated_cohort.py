"""Simulation of a cohort: May-Grünwald-Giemsa stained smears with masks and a manifest.

Drawing uses numpy, scipy, Pillow and OpenCV (which fills outlines and blurs), and no torch. The same
parameters and versions of these libraries give the same bytes, independent of the number of processes.
"""

import os
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from mds_lightning.cohort.atomic_file import write_atomically
from mds_lightning.cohort.simulation.cohort_directory import MANIFEST, claim_directory
from mds_lightning.cohort.simulation.render import list_fields, render_fields
from mds_lightning.cohort.simulation.simulated_patients import draw_patient
from mds_lightning.cohort.simulation.simulation_parameters import SimulationParameters

__all__ = ["SimulationParameters", "simulate_cohort"]


def simulate_cohort(directory: Path, parameters: SimulationParameters, workers: int | None = None) -> Path:
    """Draw a cohort, or the missing files of an incomplete one; a complete one is not changed.

    Writes `images/*.jpg`, `masks/*.png` (8-bit grey, values of `canvas.Tissue`: 0 background, 1 red cell,
    2 cytoplasm, 3 nucleus, 4 nucleus of a cell of the disease's clone: a dysplastic cell or a blast; with
    `signal` 0 there is no clone and no 4), `simulation.json` (the parameters) and, as the last file,
    `manifest.csv` (image, patient_id, label, site, external, mask, age, sex, who_type, ipss_r, blasts).

    Args:
        directory: Folder of this cohort alone; created if it does not exist.
        parameters: What to draw.
        workers: Processes that draw; None: one per core. The result does not depend on it.

    Returns:
        Path of the manifest.

    Raises:
        ValueError: `directory` contains another simulation or other files, or `workers` is below 1.
        RuntimeError: A drawing process was killed; the next call continues.
    """
    directory = Path(directory)
    workers = _cores() if workers is None else workers
    if workers < 1:
        raise ValueError(f"workers is {workers}: give 1 or more, or None for one per core")
    fields = list_fields(parameters)
    found = claim_directory(directory, parameters, [file for key in fields for file in (key.image, key.mask)])
    pending = [key for key in fields if not {key.image, key.mask} <= found]
    if pending:
        render_fields(directory, parameters, pending, len(fields), workers)
    manifest = directory / MANIFEST
    if pending or MANIFEST not in found:
        with write_atomically(manifest) as temporary:
            _tabulate(parameters).to_csv(temporary, index=False, lineterminator="\n")
    return manifest


def _tabulate(parameters: SimulationParameters) -> pd.DataFrame:
    rows = []
    for key in list_fields(parameters):
        patient = draw_patient(parameters, key.patient)
        rows.append(
            {
                "image": key.image,
                "patient_id": key.patient.patient_id,
                "label": key.patient.label,
                "site": patient.site,
                "external": key.patient.external,
                "mask": key.mask,
                **asdict(patient.clinical),
            }
        )
    return pd.DataFrame(rows)


def _cores() -> int:
    # Cores that this process may use; in a container or a job they are fewer than those of the machine.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
