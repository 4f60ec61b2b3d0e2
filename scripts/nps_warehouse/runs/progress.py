"""What a run says while it goes on: a moving line on a terminal, else an event a line, as JSON."""

from __future__ import annotations

import json
import sys
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.status import Status

from nps_warehouse.runs.record import Event

_QUIET = {"nodes", "tables", "warehouse"}
"""Events of which a person needs no line."""


class JsonLines:
    """One JSON object a line, as in the record, but for the list of nodes, which is counted."""

    def __init__(self, stream: TextIO) -> None:
        """Write to a stream.

        Args:
            stream: nothing else is to be written to it.
        """
        self._stream = stream

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End; every line is written already."""

    def event(self, event: Event) -> None:
        """Write an event.

        Args:
            event: of the record.
        """
        shown = event | {"nodes": len(event["nodes"])} if event["event"] == "nodes" else event
        try:
            self._stream.write(json.dumps(shown, ensure_ascii=False, default=str) + "\n")
            self._stream.flush()
        except BrokenPipeError:
            # Nobody reads any more; the record has it all.
            pass

    def node(self, number: int, total: int, what: str) -> None:
        """Nothing: what dbt did is told when it is done.

        Args:
            number: of the node.
            total: how many there are.
            what: the node.
        """


class Terminal:
    """Lines for people, and one that moves."""

    def __init__(self, console: Console | None = None) -> None:
        """Write to a terminal.

        Args:
            console: by default that of standard output.
        """
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._status: Status | None = None

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End, whatever was moving."""
        self._stop()

    def event(self, event: Event) -> None:
        """Show an event.

        Args:
            event: of the record.
        """
        match event["event"]:
            case "run_started":
                self._print(f"Run {event['run_id']}")
            case "step_started":
                self._status = self._console.status(f"{event['step']} …")
                self._status.start()
            case "step_ended":
                self._stop()
                mark = "✓" if event["status"] == "done" else "✗"
                self._print(f"{mark} {event['step']:<12} {event['seconds']:6.1f} s")
                for warning in event["detail"].get("warnings", []):
                    self._print(f"    warning: {warning}")
            case "decision":
                self._print(f"! {event['text']}")
            case "published":
                self._print(f"  shown: version {event['version_id']}")
            case "run_ended":
                self._stop()
                self._print(f"{event['status']} (exit code {event['exit_code']})")
            case kind if kind not in _QUIET:
                self._print(f"  {kind}")

    def node(self, number: int, total: int, what: str) -> None:
        """Show which node dbt is at.

        Args:
            number: of the node.
            total: how many there are.
            what: the node.
        """
        if self._status is not None:
            # What dbt says is text, no markup.
            text = f"{number}/{total} {what}".replace("[", r"\[")
            self._status.update(f"build … {text}")

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False)

    def _stop(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None


def progress() -> JsonLines | Terminal:
    """What fits standard output."""
    return Terminal() if sys.stdout.isatty() else JsonLines(sys.stdout)
