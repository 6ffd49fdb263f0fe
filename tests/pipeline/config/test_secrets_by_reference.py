"""A secret in the configuration is refused with the place where it belongs, and is never printed."""

import subprocess
import sys
from pathlib import Path

import pytest

from efficientmixnet.modules.exceptions import BadInput
from efficientmixnet.pipeline.config.config import load_config


@pytest.mark.parametrize(
    ("key", "complaint"),
    [
        (
            "beam.arguments=[--s3_secret_access_key=HUSH]",
            "beam.arguments: --s3_secret_access_key holds a secret, which logs and ML Metadata would show; remove it, "
            "and set the environment variable AWS_SECRET_ACCESS_KEY, or use ~/.aws/credentials on every worker",
        ),
        ("beam.arguments=[--azure_connection_string=a=b;AccountKey=HUSH]", "AZURE_STORAGE_CONNECTION_STRING"),
        ('beam.arguments=[\'--environment_config={"env": {"TOKEN": "HUSH"}}\']', "--environment_config holds"),
        ("beam.arguments=[--job_endpoint=http://me:HUSH@host:80]", "--job_endpoint holds a secret"),
        ("beam.arguments=[--s3_secret_access_key, HUSH]", "beam.arguments: number 2 should have the form"),
        ("beam.arguments=--s3_secret_access_key=HUSH", "should be a list"),
        ("data.images=https://me:HUSH@host/images", "data.images: holds a password or a signature; give the URL"),
        ("data.manifest=https://host/list.csv?X-Amz-Signature=HUSH", "data.manifest: holds a password"),
        ("data.layout.label_names=https://HUSH@host/names.txt", "data.layout.label_names: holds a password"),
        ("network.weights=s3://me:HUSH@bucket/weights", "network.weights: holds a password"),
        ("output=s3://me:HUSH@bucket", "output: holds a password"),
        ("kubeflow.environment.DB_PASSWORD=HUSH", "kubeflow.environment.DB_PASSWORD: looks like a secret"),
        ("kubeflow.environment.PROXY=http://me:HUSH@proxy", "kubeflow.environment.PROXY: looks like a secret"),
        ("kubeflow.environment.API_KEY=[HUSH]", "kubeflow.environment.API_KEY: should be a valid string, not ***"),
        ("kubeflow.object_store.endpoint=http://me:HUSH@minio", "kubeflow.object_store.endpoint: holds a password"),
        ("data.token=HUSH", "data.token: no such key"),
        ("data.token={HUSH", "data.token=*** is not valid YAML"),
    ],
)
def test_a_secret_is_refused_and_not_quoted(key: str, complaint: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_config(None, [key])
    assert complaint in str(caught.value)
    assert "HUSH" not in str(caught.value)


def test_names_of_secrets_and_paths_are_allowed() -> None:
    keys = ["kubeflow.object_store.secret=my-store", "kubeflow.environment.PYTHONHASHSEED='0'"]
    keys += ["kubeflow.secrets=[{name: my-store, environment: {accesskey: AWS_ACCESS_KEY_ID}}]"]
    keys += ["data.images=/data/token=3/images", "beam.arguments=[--s3_endpoint_url=http://minio:9000]"]
    config = load_config(None, keys)
    assert config.data.images == "/data/token=3/images"


def test_the_command_refuses_a_secret_in_a_broken_file_without_printing_it(tmp_path: Path) -> None:
    file = tmp_path / "my.yaml"
    file.write_text("beam:\n  s3_password: HUSH\n\targuments: [--s3_session_token=HUSH]\n")
    for command in (["run", str(file)], ["run", "--data", "https://me:HUSH@host/x"], ["inspect", "s3://a:HUSH@b"]):
        program = str(Path(sys.executable).parent / "efficientmixnet")
        done = subprocess.run([program, *command], capture_output=True, text=True, check=False)  # noqa: S603
        assert done.returncode == 2
        assert done.stderr.splitlines()[1].startswith("error: ")
        assert "HUSH" not in done.stdout + done.stderr
