"""The audit of a scan: all checks, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tellapart.audit.checks import CHECKS, Check, damage_findings, picture_findings
from tellapart.audit.classes import class_findings, source_findings
from tellapart.audit.copy_findings import Copies
from tellapart.audit.copy_pairs import find_pairs
from tellapart.audit.findings import Audit, Finding, ordered
from tellapart.core.text import agree, counted
from tellapart.scanning.scanner import Scan


def audit(
    scan: Scan,
    *,
    features: NDArray[np.floating[Any]] | None = None,
    checks: Sequence[Check] = CHECKS,
) -> Audit:
    """Audit a scan.

    Args:
        scan: The pictures.
        features: float16 or float32 ``[N, D]``, aligned with the scan's rows. With them,
            near-copies that hashes miss (crops, mirrored pictures) are found as well.
        checks: What to look for in single pictures.

    Returns:
        Findings (errors first), what is left out and why, and the pairs of copies.

    Raises:
        ValueError: If ``features`` has another number of rows than the scan.
    """
    if features is not None and len(features) != scan.frame.height:
        raise ValueError(f"{len(features)} rows of features for {scan.frame.height} pictures")
    frame = scan.frame
    found = find_pairs(scan, features)
    copies = Copies(scan, found.pairs)
    findings = [
        *damage_findings(frame),
        *copies.findings(),
        *class_findings(scan, copies.left_out),
        *picture_findings(frame, checks),
        *source_findings(scan),
        *_unsearched(found.unsearched),
    ]
    return Audit(ordered(findings), copies.left_out, copies.pairs)


def _unsearched(count: int) -> list[Finding]:
    if not count:
        return []
    return [
        Finding(
            "copies_not_searched",
            "note",
            count,
            f"{counted(count, 'pair')} of similar pictures {agree(count, 'was', 'were')} not "
            "searched for crops and mirrored copies: there are very many.",
            "If your pictures come in bursts, keep each burst together with --group-from.",
        )
    ]
