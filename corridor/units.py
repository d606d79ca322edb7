"""Conversion factors, named and sourced: the only place where a unit changes into another."""

from typing import Final

HOURS_PER_DAY: Final = 24.0
MINUTES_PER_HOUR: Final = 60.0
DAYS_PER_YEAR: Final = 365.0
"""Annual volumes are 365 equal days (the data contract's convention)."""
HOURS_PER_WEEK: Final = 168.0
KG_PER_T: Final = 1000.0
G_PER_KG: Final = 1000.0
T_PER_MT: Final = 1.0e6
"""Tonnes in a million tonnes (Mt)."""
EARTH_RADIUS_KM: Final = 6371.0088
"""Mean radius of the Earth (IUGG 1980)."""
