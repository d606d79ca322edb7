"""Under which terms the results of a study may be passed on."""

from dataclasses import dataclass
from typing import Final

from corridor import datasets
from corridor.study import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class License:
    """A license: its short name, its title and where it can be read."""

    name: str
    title: str
    path: str


BUNDLED: Final = License(
    name="CC-BY-4.0",
    title="Creative Commons Attribution 4.0",
    path="https://creativecommons.org/licenses/by/4.0/",
)
"""License of the bundled data sets, see their README."""


def license_of(study: Study) -> License | None:
    """Return the license of a study's data, None where its data set states none.

    Examples
    --------
    >>> import corridor
    >>> license_of(corridor.load_study("crossroads")).name
    'CC-BY-4.0'
    """
    return BUNDLED if study.network.name in datasets.names() else None
