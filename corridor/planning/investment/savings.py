"""What a portfolio saves, goods that could not move before told apart from resources.

The search for a portfolio counts every tonne that stays at home at one price, `unmet_usd_per_t`:
far above any cost, so that goods move where they can. That price steers; nobody pays it, and it is
no benefit. What is told to people is counted otherwise: resources and time of what is carried, and
the goods that are carried now and were not before, in tonnes and at their own value. Carrying them
takes resources, so that a portfolio may save goods and cost resources. The sum is the saving, as
``total_loss`` of plans; how much of it is goods, and what the search counted for them, stands
beside it everywhere.
"""

from dataclasses import dataclass

from corridor.planning.investment.portfolio_program import MUSD_PER_YEAR
from corridor.planning.investment.portfolio_values import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """What one use of the network saves against another.

    Attributes
    ----------
    resources_musd_per_year
        Resources and time of what is carried, background at posts included [MUSD/year]; below 0
        where carrying more costs more.
    goods_musd_per_year, goods_t_per_day
        Goods newly carried, at their own value [MUSD/year], and their tonnes [t/day].
    goods_priced_musd_per_year
        What the search counted for these goods, at `unmet_usd_per_t` [MUSD/year]. No benefit.
    """

    resources_musd_per_year: float
    goods_musd_per_year: float
    goods_t_per_day: float
    goods_priced_musd_per_year: float

    @property
    def total_musd_per_year(self) -> float:
        """Resources, and goods at their own value [MUSD/year]."""
        return self.resources_musd_per_year + self.goods_musd_per_year


def saving_between(before: Value, after: Value) -> Saving:
    """Return what the use `after` saves against that `before`; building costs are not in it."""
    return Saving(
        resources_musd_per_year=(
            (before.resources_usd_per_day - after.resources_usd_per_day) * MUSD_PER_YEAR
        ),
        goods_musd_per_year=(
            (before.unmet_value_usd_per_day - after.unmet_value_usd_per_day) * MUSD_PER_YEAR
        ),
        goods_t_per_day=before.unmet_t_per_day - after.unmet_t_per_day,
        goods_priced_musd_per_year=(
            (before.unmet_usd_per_day - after.unmet_usd_per_day) * MUSD_PER_YEAR
        ),
    )
