"""User code of a plain TFX image pipeline, as in TFX's tutorials: Transform decodes images to floats."""

import keras
import tensorflow as tf
import tensorflow_transform as tft


def preprocessing_fn(inputs, custom_config):
    size = custom_config["size"]

    def decode(encoded):
        image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
        return tf.image.resize(tf.cast(image, tf.float32) / 255.0, [size, size])

    images = tf.map_fn(decode, tf.reshape(inputs["image/encoded"], [-1]), fn_output_signature=tf.float32)
    labels = tft.compute_and_apply_vocabulary(tf.reshape(inputs["image/class/text"], [-1]), vocab_filename="labels")
    return {"image": tf.ensure_shape(images, [None, size, size, 3]), "label": labels}


def run_fn(fn_args):
    output = tft.TFTransformOutput(fn_args.transform_graph_path)
    spec = output.transformed_feature_spec()

    def batches(patterns):
        files = tf.data.Dataset.list_files(patterns)
        records = tf.data.TFRecordDataset(files, compression_type="GZIP").batch(64)
        return records.map(lambda batch: (lambda row: (row["image"], row["label"]))(tf.io.parse_example(batch, spec)))

    size = fn_args.custom_config["size"]
    classes = output.vocabulary_size_by_name("labels")
    model = keras.Sequential(
        [
            keras.Input((size, size, 3)),
            keras.layers.Conv2D(16, 3, strides=2, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(classes, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(batches(fn_args.train_files), epochs=1, verbose=0)

    module = tf.Module()
    module.model = model
    module.transform = tf.saved_model.load(output.transform_savedmodel_dir)
    raw_spec = output.raw_feature_spec()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def transform_features(examples):
        return module.transform.transform_fn(tf.io.parse_example(examples, raw_spec))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def serve(examples):
        return {"probabilities": model(transform_features(examples)["image"], training=False)}

    module.transform_features, module.serve = transform_features, serve
    tf.saved_model.save(
        module,
        fn_args.serving_model_dir,
        signatures={"serving_default": serve, "transform_features": transform_features},
    )
