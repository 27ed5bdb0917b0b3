"""`lightbound conformance`: whether another implementation of CLP/1 answers as ours does."""

import json
import sys
from contextlib import ExitStack
from typing import Annotated, Any

import typer

from lightbound.cli.exits import ExitCode
from lightbound.conformance.vectors import Role

HELP = """Put the packaged vectors to an implementation of CLP/1, and tell where its answers differ.

A vector is one question and its one right answer: the fields of a statement, the bytes of another, the moves of a
session, or a refusal with its reason. Keys, clocks and dice are in the question, so an implementation needs no other
hook into its randomness.

\b
--command CMD is started once, without a shell. It reads one JSON object a line and answers each with one:
  {"id": 1, "do": "read", "statement": "session", ...}  ->  {"id": 1, "result": {...}}
docs/conformance.md shows every operation. Without --command our own reference is asked, in this process.

Exit code 4 if any answer differs; 5 if CMD cannot be run, ends, stalls, or says something that is no answer.

\b
Examples:
  lightbound conformance
  lightbound conformance --role landmark --command "./landmark --conformance"
  lightbound conformance --only 'session-*' --list
"""


def conformance(
    *,
    command: Annotated[str | None, typer.Option(metavar="CMD", help="The implementation to ask.")] = None,
    role: Annotated[Role | None, typer.Option(help="Ask only what this party of the protocol must answer.")] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Ask only this vector, or those that a pattern matches. May be repeated."),
    ] = None,
    timeout_s: Annotated[
        float, typer.Option(min=0.1, max=3600, metavar="S", help="Longest wait for one answer, in seconds.")
    ] = 10.0,
    as_list: Annotated[bool, typer.Option("--list", help="List the vectors and ask nobody.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else.")] = False,
    answer: Annotated[
        bool, typer.Option("--answer", help="Be the implementation: read operations, answer each as our own does.")
    ] = False,
) -> None:
    """Put the packaged vectors to an implementation of CLP/1, and tell where its answers differ."""
    if answer:
        if command is not None or role is not None or only or as_list or as_json:
            raise typer.BadParameter("--answer stands alone")
        from lightbound.conformance.reference import serve

        serve(sys.stdin, sys.stdout)
        return

    from lightbound.cli import conformance_table as table
    from lightbound.cli.progress import progress
    from lightbound.conformance.checking import checked
    from lightbound.conformance.vectors import read_vectors, wanted

    vectors = wanted(read_vectors(), only=only or (), role=role)
    if not vectors:
        raise typer.BadParameter("no vector has such a name and role; --list tells them all", param_hint="--only")
    if as_list:
        _print_json(table.list_object(vectors)) if as_json else table.print_list(vectors)
        return
    with ExitStack() as stack, progress() as steps:
        if command is None:
            from lightbound.conformance.reference import answer as ask
        else:
            from lightbound.conformance.command import Command

            ask = stack.enter_context(Command(command, timeout_s=timeout_s)).ask
        done = steps("vectors", len(vectors))
        results = []
        for one in checked(vectors, ask):
            results.append(one)
            done(1)
    _print_json(table.result_object(results, command)) if as_json else table.print_results(results, command)
    if any(one.difference is not None for one in results):
        raise typer.Exit(ExitCode.REFUSED)


def _print_json(told: dict[str, Any]) -> None:
    typer.echo(json.dumps(told, ensure_ascii=False, separators=(",", ":"), allow_nan=False))


conformance.__doc__ = HELP
