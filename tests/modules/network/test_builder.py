"""One builder makes every network, and its choices reach every layer."""

import time

import keras
import numpy as np
import pytest

from efficientmixnet.modules.layers import (
    AttentiveNormalization,
    DropConnect,
    InstanceEnhancementBatchNormalization,
    SqueezeExcite,
)
from efficientmixnet.modules.layers.norm import Norm
from efficientmixnet.modules.network import BlockArgs, EfficientNetBuilder, summarize

BLOCKS = ["r1_k3_s11_e1_i8_o8_se0.5", "r2_k3.5_s22_e2_i8_o16_se0.25"]
IMAGE = np.random.default_rng(0).random((2, 16, 16, 3), "float32")


def tiny(dropout_rate=0.2, blocks=BLOCKS, **options):
    builder = EfficientNetBuilder(**{"input_shape": (16, 16, 3), "classes": 5} | options)
    return builder.custom_model(blocks, dropout_rate=dropout_rate, stem_filters=8, head_filters=24)


def step(model):
    """One training step; the gradient's reach is checked by the weights that moved."""
    before = [weight.numpy().copy() for weight in model.trainable_weights]
    model.compile(keras.optimizers.SGD(0.5), "sparse_categorical_crossentropy", jit_compile=False)
    model.train_on_batch(IMAGE, np.array([1, 3]))
    moved = [not np.array_equal(a, b.numpy()) for a, b in zip(before, model.trainable_weights, strict=True)]
    return [weight.path for weight, m in zip(model.trainable_weights, moved, strict=True) if not m]


QUICK = {("swish", "bn"), ("mish", "an"), ("relu", "iebn")}


@pytest.mark.parametrize(
    ("activation", "norm"),
    [
        pytest.param(activation, norm, marks=[] if (activation, norm) in QUICK else pytest.mark.slow)
        for activation in ("swish", "mish", "relu")
        for norm in ("bn", "an", "iebn")
    ],
)
def test_every_activation_and_norm_trains_every_weight(activation, norm):
    model = tiny(activation=activation, norm=norm, drop_connect_rate=0.0, dropout_rate=0.0)
    still = step(model)
    if activation == "relu":  # of a few units, some are off for two images
        still = [path for path in still if "squeeze_excite" not in path]
    assert still == []
    outputs = keras.ops.convert_to_numpy(model(IMAGE))
    np.testing.assert_allclose(outputs.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"norm": Norm("an", 3)}, AttentiveNormalization),
        ({"norm": "iebn"}, InstanceEnhancementBatchNormalization),
    ],
)
def test_the_chosen_norm_is_used_in_every_block(options, kind):
    norms = [layer for layer in tiny(**options).layers if layer.name.endswith("_norm")]
    assert {type(norm) for norm in norms} == {kind}
    assert {getattr(norm, "n_mixture", 3) for norm in norms} == {3}


def test_the_builders_choices_replace_those_of_the_blocks():
    blocks = [BLOCKS[0] + "_amish_ban_n2", BLOCKS[1]]
    model = tiny(blocks=blocks)
    assert model.get_layer("stage1_block1_depthwise_norm").n_mixture == 2
    assert type(model.get_layer("stage1_block1_depthwise_activation")).__name__ == "Mish"
    assert type(model.get_layer("stage2_block1_expand_norm")).__name__ == "BatchNormalization"
    assert type(model.get_layer("stage2_block1_expand_activation")).__name__ == "Swish"
    model = tiny(blocks=blocks, norm="iebn", activation="relu")
    assert type(model.get_layer("stage1_block1_depthwise_norm")) is InstanceEnhancementBatchNormalization
    assert model.get_layer("stage1_block1_depthwise_activation").activation is keras.activations.relu


def test_numbers_of_normalization_and_drop_connect_reach_the_layers():
    model = tiny(batch_norm_momentum=0.9, batch_norm_epsilon=1e-5, drop_connect_rate=0.3, synchronized=True)
    norms = [layer for layer in model.layers if layer.name.endswith("_norm")]
    assert {(norm.momentum, norm.epsilon, norm.synchronized) for norm in norms} == {(0.9, 1e-5, True)}
    drops = {layer.name: layer.rate for layer in model.layers if isinstance(layer, DropConnect)}
    assert drops == {"stage2_block2_drop_connect": pytest.approx(0.3 * 2 / 3)}


def test_block_strings_and_arguments_are_the_same_network():
    strings, arguments = tiny(), tiny(blocks=map(BlockArgs.from_block_string, BLOCKS))
    arguments.set_weights(strings.get_weights())
    np.testing.assert_array_equal(strings(IMAGE), arguments(IMAGE))


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (None, 5)),
        ({"pooling": "max"}, (None, 5)),
        ({"include_top": False}, (None, 24)),
        ({"include_top": False, "pooling": "max"}, (None, 24)),
        ({"include_top": False, "pooling": None}, (None, 4, 4, 24)),
        ({"include_top": False, "embedding_width": 7}, (None, 7)),
        ({"input_shape": (None, None, 3)}, (None, 5)),
        ({"input_shape": (17, 19, 1), "include_top": False, "pooling": None}, (None, 5, 5, 24)),
    ],
)
def test_output_shapes(options, shape):
    assert tiny(**options).output_shape == shape


def test_without_pooling_the_map_is_flattened_for_the_classifier():
    assert tiny(pooling=None).get_layer("predictions").kernel.shape == (4 * 4 * 24, 5)
    with pytest.raises(ValueError, match="pooling=None flattens a map of unknown size"):
        tiny(pooling=None, input_shape=(None, None, 3))


def test_a_model_without_a_size_takes_any_image_and_batch():
    free, fixed = tiny(input_shape=(None, None, 3)), tiny()
    free.set_weights(fixed.get_weights())
    np.testing.assert_allclose(free(IMAGE), fixed(IMAGE), atol=1e-6)
    assert free(np.zeros((1, 33, 21, 3), "float32")).shape == (1, 5)


def test_softmax_of_the_logits_gives_the_probabilities():
    logits, probabilities = tiny(classifier_activation=None), tiny()
    probabilities.set_weights(logits.get_weights())
    np.testing.assert_allclose(keras.ops.softmax(logits(IMAGE)), probabilities(IMAGE), rtol=1e-5)


def test_features_are_the_last_maps_of_each_stride():
    model = EfficientNetBuilder((64, 96, 3), features=True).default_model("B0")
    shapes = {name: tuple(output.shape[1:]) for name, output in model.output.items()}
    assert shapes == {
        "stride2": (32, 48, 16),
        "stride4": (16, 24, 24),
        "stride8": (8, 12, 40),
        "stride16": (4, 6, 112),
        "stride32": (2, 3, 320),
    }
    assert model(np.zeros((1, 64, 96, 3), "float32"))["stride32"].shape == (1, 2, 3, 320)


def test_an_input_tensor_connects_the_network_to_other_layers():
    pixels = keras.Input((16, 16, 3), name="pixels")
    model = tiny(input_tensor=keras.layers.Rescaling(1 / 255)(pixels), input_shape=None)
    assert model.input is pixels
    plain = tiny()
    plain.set_weights(model.get_weights())
    np.testing.assert_allclose(model(IMAGE * 255), plain(IMAGE), atol=1e-5)


def test_a_given_dropout_rate_replaces_the_variants():
    builder = EfficientNetBuilder((32, 32, 3), classes=2)
    assert builder.default_model("MixNetM").get_layer("dropout").rate == 0.25
    assert builder.default_model("MixNetS", dropout_rate=0.45).get_layer("dropout").rate == 0.45
    assert "dropout" not in [layer.name for layer in builder.default_model("B0", dropout_rate=0.0).layers]


def test_the_default_size_is_that_of_the_variant():
    builder = EfficientNetBuilder(include_top=False, pooling=None)
    assert builder.default_model("B2").input_shape == (None, 260, 260, 3)
    assert builder.custom_model(["r1_k3_s11_e1_i32_o8"], default_size=48).input_shape == (None, 48, 48, 3)


def test_a_custom_model_is_scaled_by_both_coefficients():
    builder = EfficientNetBuilder((32, 32, 3), classes=10)
    b0 = [block.to_block_string() for block in _b0()]
    b1 = builder.custom_model(b0, width_coefficient=1.0, depth_coefficient=1.1, default_size=240, dropout_rate=0.2)
    # B1's 7,856,232 less 990 of the 1000 classes of 1280 weights and a bias each.
    assert b1.count_params() == 7_856_232 - 990 * 1281


def _b0():
    from efficientmixnet.modules.network.variants import EFFICIENTNET_BLOCKS

    return EFFICIENTNET_BLOCKS


def test_scaled_models_grow_from_b0_by_phi():
    builder = EfficientNetBuilder(include_top=False, pooling=None)
    assert builder.scaled_model(0).count_params() == 5_330_564 - 1_281_000
    model = builder.scaled_model(1, alpha=1.1, beta=1.0, gamma=240 / 224)  # B1 by its own coefficients
    assert model.input_shape == (None, 240, 240, 3)
    assert model.count_params() == 7_856_232 - 1_281_000


def test_building_twice_gives_the_same_model():
    builder = EfficientNetBuilder((32, 32, 3), classes=2, mixed=True)
    keras.utils.set_random_seed(3)
    first = builder.default_model("B0")
    keras.utils.set_random_seed(3)
    second = builder.default_model("B0")
    assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("options", [{}, {"norm": "an", "activation": "mish"}, {"norm": "iebn", "pooling": None}])
def test_save_and_load_give_identical_outputs(tmp_path, options):
    model = tiny(**options)
    model.save(tmp_path / "tiny.keras")
    loaded = keras.saving.load_model(tmp_path / "tiny.keras")
    np.testing.assert_array_equal(loaded(IMAGE), model(IMAGE))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="SavedModels are TensorFlow's")
def test_export_to_a_saved_model_gives_the_same_outputs(tmp_path):
    import tensorflow as tf

    model = tiny(norm="an", input_shape=(None, None, 3))
    model.export(str(tmp_path / "exported"), verbose=False)
    exported = tf.saved_model.load(str(tmp_path / "exported"))
    np.testing.assert_allclose(exported.serve(IMAGE), model(IMAGE), atol=1e-6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_keeps_statistics_and_outputs_in_float32(policy):
    keras.config.set_dtype_policy(policy)
    try:
        model = tiny(norm="an")
    finally:
        keras.config.set_dtype_policy("float32")
    assert {weight.dtype for weight in model.weights} == {"float32"}
    assert model.get_layer("head_activation").compute_dtype in policy
    outputs = keras.ops.convert_to_numpy(model(IMAGE))
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("norm", ["bn", "an", "iebn"])
def test_channels_first_is_channels_last_transposed(norm):
    blocks = [BLOCKS[0], BLOCKS[1] + "_a1.1_p1.1"]
    last = tiny(blocks=blocks, norm=norm)
    first = tiny(blocks=blocks, norm=norm, data_format="channels_first", input_shape=(3, 16, 16))
    first.set_weights(last.get_weights())
    np.testing.assert_allclose(first(IMAGE.transpose(0, 3, 1, 2)), last(IMAGE), atol=1e-5)


def test_there_is_no_squeeze_excite_without_a_ratio():
    model = tiny(blocks=["r1_k3_s11_e1_i8_o8", BLOCKS[1]])
    excited = [layer.name for layer in model.layers if isinstance(layer, SqueezeExcite)]
    assert excited == ["stage2_block1_squeeze_excite", "stage2_block2_squeeze_excite"]


def test_b7_is_built_in_seconds():
    start = time.process_time()  # of this process, because other programs may keep the machine busy
    model = EfficientNetBuilder((600, 600, 3)).default_model("B7")
    assert model.count_params() == 66_658_680
    assert time.process_time() - start < 30


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"pooling": "mean"}, "pooling='mean', give one of avg, max, None"),
        ({"activation": "swoosh"}, "activation='swoosh', give one of swish"),
        ({"norm": "gn"}, "norm: 'gn' is unknown; give one of bn, an, iebn"),
        ({"typeBN": "gn"}, "norm: 'gn' is unknown; give one of bn, an, iebn"),
        ({"norm": "an", "typeBN": "bn"}, "norm='an' contradicts typeBN='bn'"),
        ({"drop_connect_rate": 1.0}, "drop_connect_rate=1.0, give one in"),
        ({"classes": 0}, "classes=0, give a whole number from 1"),
        ({"min_depth": 0}, "min_depth=0, give a whole number from 1"),
        ({"embedding_width": 2.5}, "embedding_width=2.5, give a whole number from 1"),
        ({"batch_norm_momentum": 1.0}, "batch_norm_momentum=1.0, give one in"),  # the statistics would never change
        ({"batch_norm_epsilon": -1e-3}, "batch_norm_epsilon=-0.001, give one above 0"),
        ({"dropout_rate": -0.1}, "dropout_rate: -0.1, give one in"),
        ({"dropout_rate": float("nan")}, "dropout_rate: nan, give one in"),
        ({"include_top": "imagenet"}, "include_top='imagenet', give True or False; the arguments are input_shape, inc"),
        ({"input_shape": False}, "input_shape=False, give a tuple or None; the arguments are input_shape, include_top"),
        ({"input_shape": 224}, "input_shape=224, give a tuple or None"),
        ({"input_shape": (3, 16, 3)}, "input_shape has a side of 3, the strides need at least 4"),
        ({"input_shape": (16, 16)}, "give height, width and channels"),
        ({"data_format": "NHWC"}, "data_format='NHWC', give one of channels_last, channels_first"),
    ],
)
def test_a_wrong_argument_gives_a_one_line_error(options, complaint):
    with pytest.raises(ValueError, match=complaint) as error:
        tiny(**options)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("scale", "complaint"),
    [
        ({"width_coefficient": 0}, "width_coefficient: 0, give a number above 0"),  # all widths would be 8
        ({"depth_coefficient": 0.0}, "depth_coefficient: 0.0, give a number above 0"),  # there would be no blocks
        ({"depth_coefficient": float("nan")}, "depth_coefficient: nan, give a number above 0"),
        ({"stem_filters": -8}, "stem_filters: -8, give a whole number from 1"),
        ({"head_filters": 0}, "head_filters: 0, give a whole number from 1"),
        ({"default_size": 32.5}, "default_size: 32.5, give a whole number from 1"),
    ],
    ids=str,
)
def test_a_scale_out_of_range_is_refused(scale, complaint):
    with pytest.raises(ValueError, match=complaint):
        EfficientNetBuilder((16, 16, 3)).custom_model(BLOCKS, **scale)
    with pytest.raises(ValueError, match=r"width_coefficient: .*, give a number above 0"):
        EfficientNetBuilder((16, 16, 3)).scaled_model(0.5, beta=-1.0)  # a complex number


def test_mixed_is_refused_if_no_block_has_several_kernel_sizes():
    with pytest.raises(ValueError, match="every block has one kernel size"):
        tiny(blocks=BLOCKS[:1], mixed=True)
    assert tiny(mixed=True).count_params() == tiny().count_params()


def test_a_custom_network_has_the_counted_parameters():
    from efficientmixnet.modules.network.variants import Variant

    blocks = tuple(map(BlockArgs.from_block_string, BLOCKS))
    variant = Variant("tiny", blocks, stem_filters=8, head_filters=24)
    assert summarize(variant, classes=5).parameters == tiny().count_params()


def test_arguments_in_the_order_of_keras_applications_are_refused():
    with pytest.raises(ValueError, match=r"which is not keras\.applications' order$"):
        EfficientNetBuilder(False, "imagenet")
