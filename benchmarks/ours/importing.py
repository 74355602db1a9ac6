"""Import tellapart: prints seconds as JSON. Nothing else is imported before."""

import time

start = time.perf_counter()
import tellapart  # noqa: E402

seconds = time.perf_counter() - start

print(f'{{"seconds": {seconds:.4f}, "names": {len(tellapart.__all__)}}}')
