"""The data check: scan and audit, with their summary, page and files.

Example:
    >>> found = check("pets/")  # doctest: +SKIP
    >>> [finding.code for finding in found.findings]  # doctest: +SKIP
    ['unreadable', 'exact_duplicates']
"""

from __future__ import annotations

import datetime
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tellapart.audit import Audit, Finding, audit, corrections_frame, findings_frame
from tellapart.core.cache import Cache
from tellapart.core.config import DataSettings
from tellapart.core.errors import SettingsError
from tellapart.core.progress import SILENT, Progress
from tellapart.core.text import counted
from tellapart.data.catalog import READING, Catalog, open_catalog
from tellapart.data.sources.names import raw
from tellapart.images.decoder import POLICY
from tellapart.scanning.scanner import Scan, scan

SCHEMA = 1
PAGE = "check.html"
FINDINGS = "findings.parquet"
CORRECTIONS = "corrections.csv"


@dataclass(frozen=True)
class Check:
    """The result of a check.

    Attributes:
        data: The data as the user named it.
        scan: The facts of every picture.
        audit: The findings, and the pictures that ``train`` would leave out.
    """

    data: str
    scan: Scan
    audit: Audit

    @property
    def findings(self) -> Sequence[Finding]:
        """The findings, errors first."""
        return self.audit.findings

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Counts: pictures, classes, parts, formats, bytes, and how pictures are read."""
        frame = self.scan.frame
        catalog = self.scan.catalog
        labels = dict(frame["label"].value_counts().iter_rows())
        return {
            "name": catalog.source.name,
            "layout": catalog.layout,
            "pictures": len(self.scan),
            "usable": len(self.scan) - len(self.audit.left_out),
            "bytes": int(frame["bytes"].sum() or 0),
            "classes": {name: labels.get(name, 0) for name in catalog.classes},
            "parts": _counted(frame["part"].drop_nulls().to_list()),
            "formats": _counted(frame["format"].drop_nulls().to_list()),
            "passed_over": dict(catalog.passed_over),
            "noted": dict(catalog.noted),
            "policy": list(POLICY),
        }

    def as_json(self) -> dict[str, Any]:
        """The document of ``check --json``."""
        return {
            "schema": SCHEMA,
            "summary": self.summary,
            "findings": [finding.as_json() for finding in self.findings],
        }

    def write(self, folder: str | Path) -> tuple[Path, ...]:
        """Write a page, the findings as Parquet, and a corrections file to edit.

        An existing corrections file is not overwritten, since the user may have edited it.

        Returns:
            The files that were written.

        Raises:
            SettingsError: If the folder lies inside the data, or cannot be written.
        """
        folder = Path(folder)
        if is_inside(folder, self.scan.catalog):
            raise SettingsError(
                f"--out {folder} lies inside the data folder.",
                remedy="Choose a folder outside it: nothing is written among your pictures.",
            )
        try:
            return self._write(folder)
        except OSError as error:
            raise SettingsError(
                f"--out {folder} cannot be written: {error.strerror or error}.",
                remedy="Choose a folder that you may write, on a disk with room.",
            ) from error

    def _write(self, folder: Path) -> tuple[Path, ...]:
        from tellapart.reports.pages import replace_page

        folder.mkdir(parents=True, exist_ok=True)
        written = [folder / PAGE, folder / FINDINGS]
        corrections = folder / CORRECTIONS
        if not corrections.exists():
            corrections_frame(self.audit, self.scan).write_csv(corrections)
            written.append(corrections)
        findings_frame(self.audit).write_parquet(folder / FINDINGS)
        replace_page(folder / PAGE, self.as_html(corrections))
        return tuple(written)

    def as_html(self, corrections: str | Path = "") -> str:
        """The page, as one self-contained HTML document.

        Args:
            corrections: The path of the corrections file, for the commands on the page.
        """
        from tellapart.reports import render_check
        from tellapart.reports.pages import check_view

        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        return render_check(
            check_view(
                self.scan,
                self.audit,
                data=self.data,
                created=now,
                corrections=os.fspath(corrections),
            )
        )

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(
            f"<tr><td>{escape(finding.level)}</td><td>{finding.count:,}</td>"
            f"<td style='text-align:left'>{escape(finding.sentence)}</td></tr>"
            for finding in self.findings
        )
        return (
            f"<b>{escape(self.summary['name'])}</b>: {len(self.scan):,} pictures"
            f"<table><tr><th>level</th><th>count</th><th>finding</th></tr>{rows}</table>"
        )


def check(
    data: str | Path,
    settings: DataSettings,
    *,
    cache: Cache | None = None,
    rescan: bool = False,
    progress: Progress = SILENT,
) -> Check:
    """Scan and audit labeled pictures.

    Args:
        data: A folder, archive or manifest.
        settings: How it is read.
        cache: Supplies known facts and keeps new ones.
        rescan: Whether to hash every file again.
        progress: Gets the progress of each stage.

    Raises:
        DataError: If the data cannot be read at all.
    """
    catalog = open_data(data, settings)
    scanned = scan(catalog, cache=cache, rescan=rescan, progress=progress)
    with progress.stage("Checking") as stage:
        audited = audit(scanned)
        stage.summarize(audit_in_words(audited))
    return Check(os.fspath(data), scanned, audited)


def open_data(data: str | Path, settings: DataSettings) -> Catalog:
    """Open labeled pictures with these settings; see :func:`.open_catalog`."""
    return open_catalog(data, **{name: getattr(settings, name) for name in READING})


def write_manifest(catalog: Catalog, file: Path) -> None:
    """Write a catalog of files in a folder as a manifest: ``path,label,split,group``.

    Raises:
        SettingsError: If the file exists or lies among the pictures, or the data is not in a
            folder.
    """
    if catalog.source.folder is None or catalog.layout == "arrays":
        raise SettingsError(
            f"A table of labels needs pictures in a folder, and {catalog.source.name} is none.",
            remedy="Unpack it first.",
            code="no_folder",
        )
    if file.exists() or is_inside(file, catalog):
        why = "exists already" if file.exists() else "lies inside the data folder"
        raise SettingsError(f"--out {file} {why}.", remedy="Choose another --out.", code="out")
    named = [name for name in ("part", "group") if catalog.frame[name].is_not_null().any()]
    frame = catalog.frame.select("path", "label", *named).rename({"part": "split"}, strict=False)
    frame.write_csv(file)


def is_inside(folder: Path, catalog: Catalog) -> bool:
    """Whether a folder to be written is inside the data folder, links followed."""
    location = Path(raw(catalog.source.location))
    return location.is_dir() and folder.resolve().is_relative_to(location.resolve())


def audit_in_words(audited: Audit) -> str:
    """An audit in one line: the findings per level, and the pictures left out."""
    levels = _counted([finding.level for finding in audited.findings])
    parts = [counted(count, level) for level, count in levels.items()]
    if audited.left_out:
        parts.append(f"{counted(len(audited.left_out), 'picture')} left out")
    return " · ".join(parts) or "nothing to report"


def _counted(values: Sequence[str]) -> Mapping[str, int]:
    """How often each value occurs, the commonest first."""
    return dict(Counter(values).most_common())
