"""Trains a small network by Keras and by DeviceTraining, and compares the weights. Needs KERAS_BACKEND=jax."""

import keras
import numpy as np
from ablation_candidates import Candidate
from ablation_networks import optimizer, schedule
from cifar_images import Batches, Images
from device_training import DeviceTraining, Run

CANDIDATE = Candidate(optimizer="ranger")  # its training ends with other weights than those of its last step
BATCH, STEPS, EPOCHS, DECAY = 8, 5, 3, 0.05
DRAW = np.random.default_rng(0)
DATA = Images(DRAW.integers(0, 256, (48, 32, 32, 3), "uint8"), DRAW.integers(0, 10, 48))
COUNT = BATCH * STEPS  # the other images do not train
RATES = {0: 0.01, 1: 0.02, 2: 0.03}  # by seed


def network() -> keras.Model:
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((32, 32, 3), dtype="uint8"),
            layers.Rescaling(1 / 64, -2.0),
            layers.Conv2D(4, 5, 4),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.2),
            layers.Dense(10),
        ]
    )


def by_keras(seed: int) -> keras.Model:
    keras.utils.set_random_seed(seed)
    model = network()
    rates = schedule(CANDIDATE, RATES[seed], STEPS, EPOCHS)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    model.compile(optimizer(CANDIDATE, DECAY, rates), loss)
    batches = Batches(DATA.images[:COUNT], DATA.classes[:COUNT], BATCH, seed)
    for _ in range(EPOCHS):
        for index in range(STEPS):
            model.train_on_batch(*batches[index])
        batches.on_epoch_begin()
    model.optimizer.finalize_variable_values(model.trainable_variables)
    return model


def run_of(seed: int) -> Run:
    every = np.arange(STEPS * EPOCHS)
    return Run(seed, np.asarray(schedule(CANDIDATE, RATES[seed], STEPS, EPOCHS)(every), "float32"))


def on_device(steps: int, together: int) -> tuple[DeviceTraining, list]:
    training = DeviceTraining(network, lambda: optimizer(CANDIDATE, DECAY, 1.0), DATA, BATCH, steps, together)
    runs = [run_of(seed) for seed in RATES]
    groups = [runs[first : first + together] for first in range(0, len(runs), together)]
    return training, [one for group in groups for one in training.train(group, COUNT, EPOCHS)]


def main() -> None:
    (alone, separate), (_, joined) = on_device(STEPS, 1), on_device(1, 2)
    for seed, one, other in zip(RATES, separate, joined, strict=True):
        model = by_keras(seed)
        for values, others, variables in zip(
            one, other, (model.trainable_variables, model.non_trainable_variables), strict=True
        ):
            for value, another, variable in zip(values, others, variables, strict=True):
                np.testing.assert_allclose(value, variable.numpy(), atol=1e-4, err_msg=f"{variable.path}, {seed}")
                np.testing.assert_allclose(another, value, atol=1e-4, err_msg=f"{variable.path}, {seed}, together")
        guesses, mirrored = alone.guesses(*one, DATA.images)
        logits = model.predict(DATA.images, verbose=0)
        both = logits + model.predict(DATA.images[:, :, ::-1], verbose=0)
        assert (guesses == logits.argmax(1)).all()
        assert (mirrored == both.argmax(1)).all()
    again = alone.train([run_of(0)], COUNT, EPOCHS)[0]
    for value, first in zip(again[0] + again[1], separate[0][0] + separate[0][1], strict=True):
        np.testing.assert_array_equal(value, first)
    print("equal")


if __name__ == "__main__":
    main()
