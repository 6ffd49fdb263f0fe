"""The exact count of a network, against the papers and against the built models."""

import pytest

from efficientmixnet.modules.layers.norm import Norm
from efficientmixnet.modules.network import EfficientNetBuilder
from efficientmixnet.modules.network.cost import summarize

# Published totals and trainable ones, from keras.applications (without its Normalization layer) and the MixNet source.
PARAMETERS = {
    "B0": (5_330_564, 5_288_548),
    "B1": (7_856_232, 7_794_184),
    "B2": (9_177_562, 9_109_994),
    "B3": (12_320_528, 12_233_232),
    "B4": (19_466_816, 19_341_616),
    "B5": (30_562_520, 30_389_784),
    "B6": (43_265_136, 43_040_704),
    "B7": (66_658_680, 66_347_960),
    "MixNetS": (4_166_798, 4_134_606),
    "MixNetM": (5_056_094, 5_014_382),
    "MixNetL": (7_383_524, 7_329_252),
}
MIXED = [5_462_916, 8_035_816, 9_373_274, 12_585_104, 19_866_944, 31_087_704, 43_973_744, 67_622_008]


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_of_the_published_networks(name):
    summary = summarize(name)
    assert (summary.parameters, summary.trainable) == PARAMETERS[name]


@pytest.mark.parametrize("number", range(8))
def test_parameters_with_mixed_kernels(number):
    assert summarize(f"B{number}", mixed=True).parameters == MIXED[number]


def test_parameters_of_timms_mixnet_xl():
    assert summarize("MixNetXL").trainable == 11_896_768


def test_parameters_of_b2_on_five_channels():
    shape = (299, 299, 5)
    assert summarize("B2", input_shape=shape, classes=2).parameters == 7_771_956
    assert summarize("B2", input_shape=shape, classes=2).trainable == 7_704_388
    assert summarize("B2", input_shape=shape, classes=2, mixed=True, norm="an").parameters == 8_407_205


@pytest.mark.parametrize(
    ("name", "millions", "tolerance"),
    [
        ("B0", 390, 0.01),
        ("B1", 700, 0.01),
        ("B2", 1000, 0.01),
        ("B6", 19_000, 0.03),
        ("MixNetS", 256, 0.05),
        ("MixNetM", 360, 0.05),
        ("MixNetL", 565, 0.01),
    ],
)
def test_multiply_adds_of_the_papers(name, millions, tolerance):
    assert summarize(name).multiply_adds == pytest.approx(millions * 1e6, rel=tolerance)


def test_a_network_counted_by_hand():
    summary = summarize(["r1_k3.5_s22_e1_i32_o16_se0.25"], input_shape=(8, 8, 1), classes=3, embedding_width=10)
    stem, stage, head, classifier = summary.stages
    # 3x3 convolution of 1 to 32 channels at 4x4, and its norm: 288 + 4 * 32 parameters, (288 + 32) * 16 multiply-adds.
    assert (stem.parameters, stem.trainable, stem.multiply_adds) == (416, 352, 5120)
    assert stem.output_shape == (4, 4, 32)
    # Depthwise at 2x2: 16 channels of 3x3, 16 of 5x5 = 544; norm 32; SE 32-8-32; projection 512; norm 16.
    assert stage.parameters == (544 + 128) + (256 + 8 + 256 + 32) + (512 + 64)
    assert stage.multiply_adds == (544 + 32) * 4 + 512 + (512 + 16) * 4
    assert (stage.name, stage.blocks, stage.kernel_sizes, stage.output_shape) == ("stage1", 1, (3, 5), (2, 2, 16))
    assert (head.parameters, head.multiply_adds) == (160 + 40, (160 + 10) * 4)
    assert (classifier.parameters, classifier.multiply_adds, classifier.output_shape) == (33, 30, (3,))
    assert sum(row.fraction for row in summary.stages) == pytest.approx(1)


def test_odd_sizes_round_up_at_every_stride():
    sizes = [row.output_shape[0] for row in summarize("B0", input_shape=(225, 225, 3)).stages]
    assert sizes == [113, 113, 57, 29, 15, 15, 8, 8, 8, 1000]


@pytest.mark.parametrize(
    ("name", "options"),
    [("B0", {"norm": Norm("an", 3)}), ("B0", {"norm": "iebn", "mixed": True}), ("MixNetS", {})],
)
def test_the_built_model_has_the_counted_weights(name, options):
    model = EfficientNetBuilder(input_shape=(64, 64, 3), classes=7, **options).default_model(name)
    summary = summarize(name, classes=7, **options)
    assert model.count_params() == summary.parameters
    assert sum(weight.numpy().size for weight in model.trainable_weights) == summary.trainable
