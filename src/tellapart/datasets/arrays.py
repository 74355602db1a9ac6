"""Records of the data sets of digits and clothing: MNIST, Fashion-MNIST and the packaged digits.

The first size and SHA-256 of each file are those of the checksum lists of TensorFlow Datasets,
for what the provider offers. The second SHA-256 is that of another packing of the same content,
computed on a copy.
"""

from __future__ import annotations

from tellapart.datasets.dataset import DataFile, DataSet


def _idx(base: str, *files: tuple[str, int, tuple[str, ...]]) -> tuple[DataFile, ...]:
    return tuple(
        DataFile(f"{name}-ubyte.gz", size, sha256s, (f"{base}/{name}-ubyte.gz",))
        for name, size, sha256s in files
    )


MNIST = DataSet(
    name="mnist",
    title="MNIST: handwritten digits",
    origin="Yann LeCun, Corinna Cortes and Christopher J. C. Burges, 1998, from NIST's forms",
    home="http://yann.lecun.com/exdb/mnist/",
    licence="CC BY-SA 3.0",
    shareable=True,
    citation=(
        "Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, Gradient-Based Learning Applied to "
        "Document Recognition, Proceedings of the IEEE 86(11), 1998"
    ),
    classes=tuple("0123456789"),
    counts={"train": 60_000, "test": 10_000},
    form="arrays",
    files=_idx(
        "https://storage.googleapis.com/cvdf-datasets/mnist",
        (
            "train-images-idx3",
            9_912_422,
            (
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
                "0b367032e93c5d0cea0925647cfdb18614af8ee15f83e6f2fc2ad904a6835971",
            ),
        ),
        (
            "train-labels-idx1",
            28_881,
            (
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
                "1787548bbe0bff1ec2ecdc0ef292b02df999e2d1a6002d27500982c652b17203",
            ),
        ),
        (
            "t10k-images-idx3",
            1_648_877,
            (
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
                "1a1a05eab793c14bb050b398624a11b0ffd1a2953baed553b1b9bd079e2a20be",
            ),
        ),
        (
            "t10k-labels-idx1",
            4_542,
            (
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
                "b91679a0acfe4ba0e50a2437a903084cba1f5f92592b016a25a7dfd00455798b",
            ),
        ),
    ),
)

FASHION = DataSet(
    name="fashion-mnist",
    title="Fashion-MNIST: articles of clothing",
    origin="Han Xiao, Kashif Rasul and Roland Vollgraf (Zalando Research), 2017",
    home="https://github.com/zalandoresearch/fashion-mnist",
    licence="MIT",
    shareable=True,
    citation=(
        "H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST: a Novel Image Dataset for "
        "Benchmarking Machine Learning Algorithms, arXiv:1708.07747, 2017"
    ),
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    counts={"train": 60_000, "test": 10_000},
    form="arrays",
    # The second sum of each is that of Debian's dataset-fashion-mnist: the provider's file without
    # the name and date in its gzip header. A test puts them back and gets the first sum.
    files=_idx(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
        (
            "train-images-idx3",
            26_421_880,
            (
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
            ),
        ),
        (
            "train-labels-idx1",
            29_515,
            (
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
            ),
        ),
        (
            "t10k-images-idx3",
            4_422_102,
            (
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
            ),
        ),
        (
            "t10k-labels-idx1",
            5_148,
            (
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
            ),
        ),
    ),
    notes=("Its files number the classes 0 to 9; the names here are in that order.",),
    system="fashion-mnist",
)

DIGITS = DataSet(
    name="digits",
    title="Digits: 1,797 handwritten digits, small",
    origin="Ethem Alpaydin and Cenk Kaynak, 1998; the test part, which comes with tellapart",
    home="https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits",
    licence="CC BY 4.0",
    shareable=True,
    citation=(
        "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine "
        "Learning Repository, 1998"
    ),
    classes=tuple("0123456789"),
    counts={"all": 1_797},
    form="embedded",
    tree=dict(zip("0123456789", (178, 182, 177, 183, 181, 182, 181, 179, 174, 180), strict=True)),
    notes=("Nothing is downloaded: the package carries them and writes them as PNG files.",),
)
