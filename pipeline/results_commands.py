"""The commands that look back on runs: efficientmixnet report."""

import click

from efficientmixnet.modules.bad_input import BadInput


@click.command()
@click.argument("run")
@click.option("--open", "show", is_flag=True, help="Show it in the browser too.")
def report(run: str, show: bool) -> None:
    """Write the report of RUN anew: a run's folder, or an output folder for its last run."""
    from efficientmixnet.pipeline.run_report import read_summary, write_report

    summary = read_summary(run)
    page = write_report(summary)
    if page is None:
        raise BadInput(f"{run}: the run left nothing to report on ({summary.state}: {summary.reason})")
    click.echo(page)
    if show:
        click.launch(page.as_uri())


COMMANDS = (report,)
