"""``python -m benchmarks``: measure rows, keep their results, render the table."""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Sequence

from benchmarks import machine, results, table
from benchmarks.bench import Bench
from benchmarks.errors import BenchmarkError
from benchmarks.results import Result
from benchmarks.rows import ROWS, Row
from tellapart.core.version import versions

LONG = "long"
_EXAMPLES = """\
examples:
  python -m benchmarks                    every row that is not long, then the table
  python -m benchmarks long               the long ones, which train networks: hours
  python -m benchmarks scan features      two of them
  python -m benchmarks --resume           those without a result for this code
  python -m benchmarks --try              the same on a few pictures; keeps nothing
  python -m benchmarks table              render RESULTS.md from the kept results
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.list:
            _list()
            return 0
        if options.rows == ["table"]:
            _write_table()
            return 0
        return _measure_all(options)
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nInterrupted. Finished repeats are kept; the same command goes on.\n")
        return 130


def chosen(names: Sequence[str], rows: Sequence[Row] = ROWS) -> list[Row]:
    """The rows of those names in the order of the table.

    Args:
        names: Of rows; ``long`` stands for all long rows; none for all that are not long.
        rows: To choose from.

    Raises:
        BenchmarkError: If a name is unknown.
    """
    known = [row.name for row in rows]
    if unknown := [name for name in names if name not in (*known, LONG)]:
        raise BenchmarkError(f"No row is called {unknown[0]}. There are: {', '.join(known)}.")
    if not names:
        return [row for row in rows if not row.long]
    return [row for row in rows if row.name in names or (row.long and LONG in names)]


def measured(row: Row, *, repeats: int, small: bool, any_code: bool = False) -> Result:
    """Measure a row; unless it is only tried, keep its result.

    Raises:
        BenchmarkError: If pictures or peers are missing, or a measured process failed.
    """
    code = machine.code()
    description = machine.describe()
    bench = Bench(row.name, repeats=repeats, small=small, code=code, any_code=any_code)
    lines = tuple(row.measure(bench))
    result = Result(
        row=row.name,
        how=row.how,
        lines=lines,
        date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        code=", ".join(bench.codes or [code]),
        machine=description,
        versions={"ours": versions(), "peers": dict(sorted(bench.versions.items()))},
        raw=bench.raw,
    )
    if not small:
        results.write(result)
        bench.finished()
    return result


def _measure_all(options: argparse.Namespace) -> int:
    failed = 0
    code = machine.code()
    for row in chosen(options.rows):
        known = results.read(row.name)
        if options.resume and known is not None and known.code == code:
            print(f"{row.name}  has a result for this code already", file=sys.stderr)
            continue
        try:
            result = measured(
                row, repeats=options.repeats, small=options.small, any_code=options.any_code
            )
        except BenchmarkError as error:
            failed += 1
            print(f"{row.name}  {error}", file=sys.stderr)
            continue
        for line in result.lines:
            print(table.line_of(line), flush=True)
    if not options.small:
        _write_table()
    return 1 if failed else 0


def _write_table() -> None:
    known = {row.name: results.read(row.name) for row in ROWS}
    found = [result for result in known.values() if result is not None]
    missing = [name for name, result in known.items() if result is None]
    table.PAGE.write_text(table.render(found, missing), encoding="utf-8")


def _list() -> None:
    for row in ROWS:
        long = ", long" if row.long else ""
        print(f"{row.name:<14} {row.title} (about {row.minutes:g} min{long})")


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=(
            "Measure speed, memory and accuracy beside peers. TELLAPART_DATA names the folder of "
            "data sets; BENCH_PEERS_PYTHON another Python for the peers than .venv-peers."
        ),
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "rows",
        nargs="*",
        metavar="ROW",
        help="rows to measure [those that are not long], 'long' for all long ones, or 'table'",
    )
    parser.add_argument("--list", action="store_true", help="show the rows and stop")
    parser.add_argument("--repeats", type=_count, default=3, metavar="N", help="of each side [3]")
    parser.add_argument("--resume", action="store_true", help="leave out rows measured already")
    parser.add_argument(
        "--any-code",
        action="store_true",
        help="go on with repeats that were measured before the sources changed; the page names all",
    )
    parser.add_argument(
        "--try", dest="small", action="store_true", help="on a few pictures; nothing is kept"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
