"""Training: from the function that TFX calls to Keras's `fit`.

trainer.run_fn              TFX's Trainer calls it
    training_job            reads the schema and Transform's output: TrainingJob
    train_elsewhere         in a process of its own, for JAX
    train                   in this process, otherwise
        StartingWeights     the weights to start from
        build_model         the network
        compile_model       optimizer, loss and metrics
        phases              the classifier only, then all layers
        fit                 one phase, with the checkpoint and callbacks
    serving                 exports the trained network with Transform's graph
"""
