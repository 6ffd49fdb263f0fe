"""ReportConfig: the section report."""

from collections.abc import Mapping

from pydantic import Field

from efficientmixnet.modules.config.section import Section


class ReportConfig(Section):
    price_per_hour: float | None = Field(None, ge=0, le=1e6)
    """The price of one hour of this machine. The report then shows the cost of each component. null: no costs."""
    currency: str = Field("USD", min_length=1, max_length=8)
    """The currency of the price."""

    def costs(self, seconds: Mapping[str, float]) -> dict[str, float]:
        """Returns the cost of each component, or nothing if there is no price.

        Args:
            seconds: The duration of each component.
        """
        if self.price_per_hour is None:
            return {}
        return {name: round(self.price_per_hour * took / 3600, 6) for name, took in seconds.items()}
