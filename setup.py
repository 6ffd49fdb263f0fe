"""Installs the fixed top-level folders as one package, efficientmixnet. Its __init__.py is in pipeline/api."""

from setuptools import find_packages, setup

FOLDERS = ("modules", "components", "pipeline", "kubeflow")

setup(
    packages=[
        "efficientmixnet",
        *(
            name
            for folder in FOLDERS
            for name in (
                f"efficientmixnet.{folder}",
                *(f"efficientmixnet.{folder}.{inner}" for inner in find_packages(folder, exclude=["api"])),
            )
        ),
    ],
    package_data={
        "efficientmixnet.components.report": ["*.html", "*.css", "*.js", "*.md"],
        "efficientmixnet.pipeline.runs.tfma_page": ["*.html"],
        "efficientmixnet.pipeline.try_page": ["*.html", "*.css", "*.js"],
        "efficientmixnet.pipeline.inspection": ["*.html", "*.css"],
        "efficientmixnet.pipeline.commands": ["*.json"],
    },
    package_dir={"efficientmixnet": "pipeline/api"} | {f"efficientmixnet.{folder}": folder for folder in FOLDERS},
)
