"""Trains a network: from the function that TFX calls to Keras's `fit`.

trainer.run_fn                  TFX's Trainer calls it
    training_job                makes a TrainingJob from the configuration and the component's inputs
    train                       with TensorFlow, in this process
        choose_distribution     the devices
        within_budget           the network and the epochs, if there is a budget of time
        TrainingJob.data        reads the splits: TrainingData
        TrainingJob.network     finds the starting weights: StartingWeights
        build_model             builds the network and loads the weights
        phases                  the classifier only, then all layers; without starting weights all layers
        compile_model           for each phase: optimizer, schedule, loss and metrics
        fit                     for each phase: batches, callbacks and keras.Model.fit
    train_elsewhere             with JAX: `train` in another process, which returns the weights
    ServingModule.save          exports the network with Transform's graph
    keep_for_fine_tuning        saves the network for later trainings
"""
