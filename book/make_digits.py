"""Make `code/descent/recorded/digits.npz` from scikit-learn's copy of the data.

Run `python book/make_digits.py` from the top of the repository.
It is needed once: the file it makes is committed.
"""

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

SOURCE = (
    "Alpaydin, E. and Kaynak, C. (1998). Optical Recognition of Handwritten "
    "Digits. UCI Machine Learning Repository. "
    "https://doi.org/10.24432/C50P49. "
    "The 1,797 images of its test set, unchanged, by way of "
    "sklearn.datasets.load_digits."
)
LICENCE = (
    "Creative Commons Attribution 4.0 International (CC BY 4.0), "
    "https://creativecommons.org/licenses/by/4.0/"
)

bunch = load_digits()
target = Path(__file__).parents[1] / "code" / "descent" / "recorded" / "digits.npz"
np.savez_compressed(
    target,
    pixels=bunch.data.astype(np.uint8),
    labels=bunch.target.astype(np.uint8),
    source=np.array(SOURCE),
    licence=np.array(LICENCE),
)
print(f"{target.name}: {target.stat().st_size} bytes")
