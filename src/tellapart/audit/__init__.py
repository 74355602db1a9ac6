"""What is wrong with the data, found in a scan's columns: no file is read again.

:mod:`.auditor` runs everything. :mod:`.checks` looks at single pictures; :mod:`.copy_pairs` finds
copies and near-copies (with :mod:`.hashing`, :mod:`.neighbors` and :mod:`.alignment`), and
:mod:`.copy_findings` turns them into findings; :mod:`.classes` looks at the classes; :mod:`.groups`
numbers pictures that must stay together. ``docs/audit.md`` lists every finding.

Example:
    >>> found = audit(scan(open_catalog("pets/")))  # doctest: +SKIP
    >>> [(finding.code, finding.count) for finding in found.findings]  # doctest: +SKIP
    [('exact_duplicates', 2)]
"""

from tellapart.audit.auditor import audit
from tellapart.audit.findings import Audit, Finding, corrections_frame, findings_frame, ordered
from tellapart.audit.groups import group_ids

__all__ = [
    "Audit",
    "Finding",
    "audit",
    "corrections_frame",
    "findings_frame",
    "group_ids",
    "ordered",
]
