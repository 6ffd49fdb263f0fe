"""Training in many pods: the job that the component Trainer submits and follows, and what its workers run."""
