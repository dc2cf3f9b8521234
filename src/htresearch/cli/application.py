"""Every command in its place."""

import typer

from htresearch.cli.bench import bench
from htresearch.cli.class_study import new
from htresearch.cli.commands import spoken
from htresearch.cli.intake import intake
from htresearch.cli.options import speak
from htresearch.cli.publish import check, demo, lab, publish
from htresearch.cli.report import report
from htresearch.cli.study import simulate, template, validate
from htresearch.language import Text

#: The commands and groups, in the order of the help.
PARTS = (demo, simulate, validate, template, intake, publish, check, lab, bench, new, report)


def application() -> typer.Typer:
    """Build the commands, with their help in the language now spoken."""
    app = typer.Typer(
        name="htresearch",
        help=str(Text("班主任队伍专业化研究工具。", "Research on the professionalisation of head teachers.")),
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(spoken(speak))
    for part in PARTS:
        part.join(app)
    return app
