"""Scan DATA once with a 224 resize and the cache of this process: prints seconds as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Literal

from tellapart.core.cache import Cache
from tellapart.data.catalog import open_catalog
from tellapart.scanning.scanner import PixelConsumer, scan

data = Path(sys.argv[1])
# A flat archive has its labels in the names.
label_from: Literal["name"] | None = None if data.is_dir() else "name"

start = time.perf_counter()
with Cache.open() as cache:
    catalog = open_catalog(data, label_from=label_from)
    scanned = scan(catalog, consumers=[PixelConsumer(224, keep=False)], cache=cache)
seconds = time.perf_counter() - start

bad = scanned.frame["error"].drop_nulls().len()
print(json.dumps({"seconds": seconds, "pictures": len(scanned), "undecodable": bad}))
