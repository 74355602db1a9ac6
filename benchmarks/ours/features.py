"""Features of DATA's pictures at 224 without a cache: prints seconds as JSON."""

from __future__ import annotations

import json
import sys
import time

from tellapart.data.catalog import open_catalog
from tellapart.scanning.scanner import scan
from tellapart.transfer import backbones
from tellapart.transfer.features import FeatureConsumer

tap = FeatureConsumer(backbones.get("efficientnet-lite0"), size=224)
tap.prepare()

start = time.perf_counter()
scanned = scan(open_catalog(sys.argv[1]), consumers=[tap], cache=None)
seconds = time.perf_counter() - start

print(json.dumps({"seconds": seconds, "pictures": len(scanned)}))
