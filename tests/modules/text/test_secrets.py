"""Secrets are masked, and what only resembles one is not."""

import json
import time

import pytest

from efficientmixnet.modules.exceptions import BadInput, EfficientMixNetError
from efficientmixnet.modules.text.secrets import is_secret_name, mask, mask_urls


@pytest.mark.parametrize(
    "text",
    [
        "--s3_secret_access_key=HUSH failed",
        "['--s3_secret_access_key', 'HUSH', '--runner=X']",
        "--azure_connection_string=DefaultEndpointsProtocol=https;AccountName=me;AccountKey=HUSH==;EndpointSuffix=x",
        '--environment_config={"env": {"AWS_SECRET_ACCESS_KEY": "HUSH"}}',
        '{"beam": "{\\"password\\": \\"HUSH\\"}"}',
        '{"password": "HU\\"SH", "user": 1}',
        "aws_session_token = HUSH",
        "s3_password: HUSH\nuser: me",
        "in line 3: s3_password: HUSH user: me",
        "the option --token HUSH1234 was given",
        "Authorization: Bearer HUSH1234",
        "OPENAI_KEY=HUSH",
        "mytoken=HUSH",
        "http://host/a.png?size=2&X-Amz-Credential=HUSH&X-Amz-Signature=HUSH&n=1",
        "https://host/a.png?sv=1&sig=HUSH%3D",
        "https://host/a.png?key=HUSH#access_token=HUSH",
        "https://me:HUSH@host/a.png",
        "https://me:HU@SH@host/a.png",
        "s3://me:HU/SH+@bucket/a.png",
        "https://HUSH@host/a.png",
        "postgres://me:HUSH@one,two/table",
    ],
)
def test_secrets_are_masked_wherever_they_are(text: str) -> None:
    assert "***" in mask(text)
    assert not {"HU", "SH"} & {mask(text)[place : place + 2] for place in range(len(mask(text)))}
    assert mask(mask(text)) == mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "key: nvidia.com/gpu",
        "{accesskey: AWS_ACCESS_KEY_ID}",
        "--dataflow_kms_key=projects/p/locations/l",
        "http://host:9000/photos/me@home.png",
        "abfss://container@account.dfs.core.windows.net/images",
        "https://host/a.png?tokens=5&keys=2&author=me",
        "tokenizer=fast max_tokens: 7",
        "kubeflow.environment.AWS_SECRET_ACCESS_KEY: looks like a secret, and everybody sees it",
        "give --token, --cookie or, in a pod, --service-account-token",
        "password_file=/etc/password",
        "cat: 0.93",
        "basic building blocks",
        '{"token": {"a": 1}, "cookie": [1, 2]}',
    ],
)
def test_other_texts_are_not_changed(text: str) -> None:
    assert mask(text) == text


def test_json_with_masked_secrets_is_valid() -> None:
    text = json.dumps({"token": 'a"b\\', "url": "https://me:pw@host/?sig=x", "n": [1]})
    assert json.loads(mask(text)) == {"token": "***", "url": "https://***@host/?sig=***", "n": [1]}


def test_names_of_files_keep_what_looks_like_a_setting() -> None:
    """Folders such as token=3 are common in partitioned datasets."""
    assert mask_urls("secret=yes/token=3.png") == "secret=yes/token=3.png"


@pytest.mark.parametrize("name", ["AWSAccessKeyId", "X-Amz-Security-Token", "dbPassword", "KFP_COOKIE", "s3.api_key"])
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["", "key", "monkey", "author", "tokenizer", "token_url", "public_key"])
def test_names_of_other_settings_are_not_taken_for_secrets(name: str) -> None:
    assert not is_secret_name(name)


def test_the_messages_of_errors_are_masked() -> None:
    assert str(BadInput("s3://u:p@b/x: cannot be read")) == "s3://***@b/x: cannot be read"
    assert str(EfficientMixNetError("token=abc")) == "token=***"


@pytest.mark.parametrize("piece", ["://a:", "token=", "password='", "--token ", "A", "token=\\\\", "x@://b:c@"])
def test_a_long_hostile_text_takes_little_time(piece: str) -> None:
    text = "key " + piece * (60_000 // len(piece))
    began = time.process_time()
    mask(text)
    assert time.process_time() - began < 10
