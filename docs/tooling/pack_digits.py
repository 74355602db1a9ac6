"""Write src/tellapart/datasets/digits.npz, and check it against scikit-learn's digits.

    python docs/tooling/pack_digits.py

The file is committed; run this again only to see that it is what scikit-learn carries. It needs
scikit-learn, which is among the tools for tests.

Source:
    E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, 1998 (CC BY 4.0): the test part, from the copy that scikit-learn carries.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

FILE = Path(__file__).parents[2] / "src" / "tellapart" / "datasets" / "digits.npz"


def main() -> None:
    """Write the file, read it back, and compare every pixel and label."""
    digits = load_digits()
    images = digits.images.astype(np.uint8)  # uint8 [1797, 8, 8], 0 to 16
    labels = digits.target.astype(np.uint8)  # uint8 [1797], 0 to 9
    np.savez_compressed(FILE, images=images, labels=labels)
    with np.load(FILE) as written:
        np.testing.assert_array_equal(written["images"], digits.images)
        np.testing.assert_array_equal(written["labels"], digits.target)
    print(f"{FILE.name}: {FILE.stat().st_size:,} bytes, {len(labels):,} digits")


if __name__ == "__main__":
    main()
