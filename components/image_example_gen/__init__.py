"""ImageExampleGen: images in folders, or named in a manifest, become sharded records of tf.Examples."""
