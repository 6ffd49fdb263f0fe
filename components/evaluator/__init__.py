"""The Evaluator component: measures a model and decides whether it is blessed."""
