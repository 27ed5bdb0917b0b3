"""The commands that serve and ask devices, as a program of their own: what tests start as a process."""

import typer

from lightbound.cli.evidence_collect import COLLECT_HELP, collect
from lightbound.cli.evidence_host import HOST_KEY_HELP, host_key
from lightbound.cli.evidence_serving import ANSWER_HELP, SERVE_HELP, answer, serve

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
app.command("collect", help=COLLECT_HELP)(collect)
app.command("answer", help=ANSWER_HELP)(answer)
app.command("serve", help=SERVE_HELP)(serve)
app.command("host-key", help=HOST_KEY_HELP)(host_key)

if __name__ == "__main__":
    app()
