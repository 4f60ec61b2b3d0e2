"""The command line ``nps``: everything around ``dbt build``, one command a job."""

from __future__ import annotations

import importlib

import click

# A command is imported when it is called: no one waits for a library that only another one needs.
COMMANDS = {
    "alerts": "nps_warehouse.telling.cli:alerts_command",
    "cases": "nps_warehouse.cases.cli:cases_command",
    "check": "nps_warehouse.gates.cli:check_command",
    "export": "nps_warehouse.publishing.cli:export_command",
    "forget": "nps_warehouse.privacy.cli:forget_command",
    "import": "nps_warehouse.importing.cli:import_command",
    "publication": "nps_warehouse.state.cli:publication_command",
    "publish": "nps_warehouse.publishing.cli:publish_command",
    "quarantine": "nps_warehouse.quarantine.cli:quarantine_command",
    "questions": "nps_warehouse.questions.cli:questions_command",
    "report": "nps_warehouse.report.cli:report_command",
    "retain": "nps_warehouse.privacy.cli:retain_command",
    "rollback": "nps_warehouse.publishing.cli:rollback_command",
    "run": "nps_warehouse.runs.cli:run_command",
    "state": "nps_warehouse.state.cli:state_command",
    "status": "nps_warehouse.telling.cli:status_command",
    "summary": "nps_warehouse.telling.cli:summary_command",
    "themes": "nps_warehouse.themes.cli:themes_command",
    "versions": "nps_warehouse.publishing.cli:versions_command",
}


class LazyGroup(click.Group):
    """A group whose commands are imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the commands, as ``--help`` shows them.

        Args:
            ctx: the context of the call.
        """
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name; None where there is none.

        Args:
            ctx: the context of the call.
            cmd_name: what the user typed.
        """
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Net Promoter Score from raw files to marts: what there is to do around `dbt build`."""


if __name__ == "__main__":
    main(prog_name="nps")
