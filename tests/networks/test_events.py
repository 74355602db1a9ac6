from __future__ import annotations

import io

from tellapart.core.process import Reporter, parse
from tellapart.networks.process import events
from tellapart.networks.process.events import EpochRow, Writer
from tellapart.networks.process.showing import line


def test_events_cross_as_lines() -> None:
    stream = io.StringIO()
    writer = Writer(Reporter(stream))
    row = EpochRow(1, 0.5, 0.75, None, None, 1e-3, 2.0)
    writer.begin(pictures=10, epochs=2, done=0)
    writer.note("Zwölf")
    writer.epoch(row)
    read = [parse(each) for each in stream.getvalue().splitlines()]
    assert [event["event"] for event in read if event] == ["begin", "note", "epoch"]
    assert read[1] == {"event": "note", "sentence": "Zwölf"}
    assert read[2] is not None and events.row_of(read[2]) == row


def test_advances_are_gathered_and_none_is_lost() -> None:
    stream = io.StringIO()
    writer = Writer(Reporter(stream))
    for _ in range(100):
        writer.advance(3)
    writer.epoch(EpochRow(1, 0.5, 0.75, None, None, 1e-3, 2.0))
    read = [parse(each) for each in stream.getvalue().splitlines()]
    told = [event["pictures"] for event in read if event and event["event"] == "advance"]
    assert sum(told) == 300 and len(told) < 100


def test_a_line_of_the_table() -> None:
    row = EpochRow(3, 0.12345, 0.9876, 0.25, 0.9, 1e-3, 2.0)
    assert line(row, pictures=3000, left=65).split() == (
        ["3", "0.1235", "98.8", "%", "0.2500", "90.0", "%", "1,500", "1", "min", "5", "s"]
    )
