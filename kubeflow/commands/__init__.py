"""The subcommands of `efficientmixnet kubeflow`."""
