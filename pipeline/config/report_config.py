"""ReportConfig: what the report says of a run that the run cannot find out by itself."""

from collections.abc import Mapping

from pydantic import Field

from efficientmixnet.modules.config.section import Section


class ReportConfig(Section):
    price_per_hour: float | None = Field(None, ge=0, allow_inf_nan=False)
    """What an hour of this machine costs; the report then counts what each component cost. null: it does not."""
    currency: str = Field("USD", min_length=1, max_length=8)
    """That of the price."""

    def costs(self, seconds: Mapping[str, float]) -> dict[str, float]:
        """By component; empty where no price is known."""
        if self.price_per_hour is None:
            return {}
        return {name: round(self.price_per_hour * took / 3600, 6) for name, took in seconds.items()}
