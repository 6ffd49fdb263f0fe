"""server_options: the options that say where the server of Kubeflow Pipelines is."""

import functools
from collections.abc import Callable
from typing import Any

import click

from efficientmixnet.pipeline.announce import announce
from efficientmixnet.pipeline.commands.numbers import Number
from efficientmixnet.pipeline.config.secrets_by_reference import refuse_secret


def server_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the options that say where the server is. The command gets a Connection as its first argument."""

    @functools.wraps(command)
    def connected(
        endpoint: str | None,
        namespace: str | None,
        token: str | None,
        cookie: str | None,
        service_account_token: bool,
        ca_certificate: str | None,
        timeout: float,
        **options: Any,
    ) -> None:
        from efficientmixnet.kubeflow.server.connection import Connection

        refuse_secret("--endpoint", endpoint)
        announce("connecting to Kubeflow Pipelines")
        connection = Connection(endpoint, namespace, token, cookie, service_account_token, ca_certificate, timeout)
        command(connection, **options)

    for option in (
        click.option(
            "--timeout",
            default=30.0,
            show_default=True,
            type=Number(0.1, 86400),
            help="Seconds to wait for one answer.",
        ),
        click.option("--ca-certificate", metavar="FILE", help="The certificate of the server's authority."),
        click.option("--service-account-token", is_flag=True, help="In a pod: send the pod's own token."),
        click.option("--cookie", envvar="KFP_COOKIE", help="The cookie of a browser session.  [KFP_COOKIE]"),
        click.option("--token", envvar="KFP_TOKEN", help="A bearer token.  [KFP_TOKEN]"),
        click.option("--namespace", help="The user's namespace on a multi-user server."),
        click.option(
            "--endpoint",
            envvar="KF_PIPELINES_ENDPOINT",
            metavar="URL",
            help="The address of Kubeflow Pipelines.  [KF_PIPELINES_ENDPOINT]",
        ),
    ):
        connected = option(connected)
    return connected
