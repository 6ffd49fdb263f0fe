"""Transform: pictures become small encoded pictures, labels become numbers."""

from tfx import v1 as tfx


def transform(
    examples: tfx.types.BaseChannel, schema: tfx.types.BaseChannel, splits: list[str], shorter_side: int
) -> tfx.components.Transform:
    """Looks at the training split, and transforms every split.

    TFX's statistics of what comes in and goes out are off: StatisticsGen has those of what comes in, and those of
    encoded pictures say nothing. So is the cache of its analyzers, which only another run's Transform could use.
    """
    return tfx.components.Transform(
        examples=examples,
        schema=schema,
        preprocessing_fn="efficientmixnet.modules.preprocessing.preprocessing_fn",
        custom_config={"shorter_side": shorter_side},
        splits_config=tfx.proto.SplitsConfig(analyze=["train"], transform=splits),
        disable_statistics=True,
        disable_analyzer_cache=True,
    )
