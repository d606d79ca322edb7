"""The toy study, as files and loaded."""

from collections.abc import Callable
from pathlib import Path

import pytest

from corridor.study import Study, load_study
from tests.study.toy import HEADER, REFERENCES, VARIANTS, write_study


@pytest.fixture(scope="session")
def study_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the toy study."""
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="session")
def study(study_folder: Path) -> Study:
    """Load the toy study."""
    return load_study(study_folder)


@pytest.fixture
def study_with(study_folder: Path) -> Callable[..., Path]:
    """Return a function that writes a study file with other text and returns its path."""

    def write(text: str = "", *, header: str = HEADER, variants: str = VARIANTS) -> Path:
        file = study_folder / "other.toml"
        file.write_text(header + REFERENCES + variants + text, encoding="utf-8")
        return file

    return write
