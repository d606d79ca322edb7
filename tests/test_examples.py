"""Every example runs, short, without a warning, and prints numbers with units."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import corridor

ROOT = Path(corridor.__file__).parent.parent
SCRIPTS = sorted(path.name for path in (ROOT / "examples").glob("*.py"))
UNITS = {
    "01_compare_variants.py": ["Mt/year", "USD/t", "days", "crossroads_full"],
    "02_route_and_alternatives.py": ["days", "USD/t", "kg CO2/t", "TR_MERSIN"],
    "03_what_blocks_armenia.py": ["t/day", "rule", "binds: "],
    "04_border_post_capacity.py": ["MUSD/year", " h ", "%"],
    "05_own_network.py": ["t/day", "min", "2 scanners: optimal"],
    "06_border_inspection.py": ["kUSD/year", "h/day", "no_stop", "broken: floor_arm_scanner"],
    "07_why_not.py": ["USD/day", "front_office", "ARM alone", "tripp_no_stop"],
    "08_uncertainty.py": ["bn USD/year", "% of the draws", "rank correlation", "optimum"],
    "09_who_depends_on_whom.py": ["USD/day", "Shapley", "shippers", "through tariff"],
    "10_what_if_it_closes.py": ["t/day are cut off", "MUSD/day", "USD/t", "days a year"],
    "11_concrete_or_scanners.py": ["MUSD/year", "NPV", "EIRR", "Red Bridge"],
}


def test_every_example_is_listed() -> None:
    assert sorted(UNITS) == SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS)
def test_example_runs(script: str, tmp_path: Path) -> None:
    path = ROOT / "examples" / script
    done = subprocess.run(
        [sys.executable, "-W", "error", path, "--short"],
        cwd=tmp_path,  # no example depends on where it is run
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    if "CORRIDOR_EXAMPLES" in os.environ:  # the site shows it without running it again
        folder = Path(os.environ["CORRIDOR_EXAMPLES"])
        (folder / f"{path.stem}.txt").write_text(done.stdout, encoding="utf-8")
    assert done.stderr == ""
    for unit in UNITS[script]:
        assert unit in done.stdout
    assert "nan" not in done.stdout.lower().split()


@pytest.mark.parametrize("script", SCRIPTS)
def test_example_is_short(script: str) -> None:
    lines = (ROOT / "examples" / script).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 60
