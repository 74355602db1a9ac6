"""The records of the data sets of pictures as files: cats and dogs, horses and humans, faces.

Where a provider publishes no SHA-256 and no copy was at hand, there is none here.
"""

from __future__ import annotations

from tellapart.datasets.dataset import DataFile, DataSet

_GOOGLE = "https://storage.googleapis.com"
_ASIRRA = (
    "Microsoft Research and Petfinder.com, 2007: photographs of pets for adoption, collected for "
    "the Asirra project"
)
_ASIRRA_HOME = "https://www.microsoft.com/en-us/download/details.aspx?id=54765"
_ASIRRA_LICENCE = (
    "Microsoft Research License Agreement, which lies in Microsoft's archive (MSR-LA - 3467.docx)"
)
_ASIRRA_CITATION = (
    "J. Elson, J. R. Douceur, J. Howell and J. Saul, Asirra: A CAPTCHA that Exploits "
    "Interest-Aligned Manual Image Categorization, CCS 2007"
)
_HORSES = "Laurence Moroney, 2019: computer-generated pictures"
_HORSES_HOME = "https://laurencemoroney.com/datasets.html"
_HORSES_CITATION = "L. Moroney, Horses or Humans Dataset, 2019"
_HORSES_TREE = {
    "train/horses": 500,
    "train/humans": 527,
    "validation/horses": 128,
    "validation/humans": 128,
}
_LOCAL = "There is no official download of it: it is used where a copy lies on this machine."
_BROKEN = (
    "Some of its files are empty, cut off, or other formats than their names say: 'tellapart "
    "check' lists them, 'train' leaves them out."
)

HORSES_OR_HUMANS = DataSet(
    name="horses-or-humans",
    title="Horses or humans",
    origin=_HORSES,
    home=_HORSES_HOME,
    licence="CC BY 2.0",
    shareable=True,
    citation=_HORSES_CITATION,
    classes=("horses", "humans"),
    counts={"train": 1_027, "validation": 256},
    form="parts",
    files=(
        DataFile(
            "horse-or-human.zip",
            149_574_867,
            ("e2e6f70d3d549c5dd10a57165e55af253ee66ad750403f95c0fb76bb943633a9",),
            (f"{_GOOGLE}/download.tensorflow.org/data/horse-or-human.zip",),
        ),
        DataFile(
            "validation-horse-or-human.zip",
            11_480_187,
            ("ae5fff2f4f5554791f05358108e2e05d9801b191f1896ea101402f0e7f6c32c0",),
            (f"{_GOOGLE}/download.tensorflow.org/data/validation-horse-or-human.zip",),
        ),
    ),
    tree=_HORSES_TREE,
)

HORSES_100PX = DataSet(
    name="horses-or-humans-100px",
    title="Horses or humans, 100x100 gray",
    origin=f"{_HORSES}; reduced from 300x300 in color",
    home=_HORSES_HOME,
    licence="CC BY 2.0",
    shareable=True,
    citation=_HORSES_CITATION,
    classes=("horses", "humans"),
    counts={"train": 1_027, "validation": 256},
    form="archive",
    files=(
        DataFile(
            "horses-or-humans-100px.zip",
            7_539_783,
            ("d92cee9bc85c1c96eeb696090af9bbb91504280a3dddf62a957f6770b2f1366d",),
        ),
    ),
    tree=_HORSES_TREE,
    notes=(
        "A reduced copy: 100x100 gray, where the originals are 300x300 in color.",
        _LOCAL,
    ),
)

CATS_DOGS_3K = DataSet(
    name="cats-dogs-3k",
    title="Cats and dogs, 3,000 drawn anew",
    origin=f"{_ASIRRA}; 3,000 drawn at random and reduced to 180x180",
    home=_ASIRRA_HOME,
    licence=_ASIRRA_LICENCE,
    citation=_ASIRRA_CITATION,
    classes=("cats", "dogs"),
    counts={"train": 2_000, "validation": 1_000},
    form="archive",
    files=(
        DataFile(
            "cats-dogs-3k.zip",
            21_701_111,
            ("fad066a76216a73cf60a751d705aab1560749c7a8c8266aaa2e4ebff52e699a1",),
        ),
    ),
    tree={
        "train/cats": 1_000,
        "train/dogs": 1_000,
        "validation/cats": 500,
        "validation/dogs": 500,
    },
    notes=(
        "A reduced copy: 3,000 photos drawn at random from the 25,000, at 180x180; other photos "
        "than those of cats-and-dogs-filtered.",
        _LOCAL,
    ),
)

CATS_DOGS_KAGGLE = DataSet(
    name="cats-dogs-kaggle-2k",
    title="Cats and dogs, 2,002 as Kaggle lays them out",
    origin=f"{_ASIRRA}; 2,002 of those of Kaggle's contest Dogs vs. Cats, 2013",
    home="https://www.kaggle.com/c/dogs-vs-cats",
    licence="That of Kaggle's contest; the provider of this copy states none",
    citation=_ASIRRA_CITATION,
    classes=("cat", "dog"),
    counts={"all": 2_002},
    form="archive",
    files=(
        DataFile(
            "cats-dogs-kaggle-2k.zip",
            45_838_343,
            ("4b2230cac97ebead49be7f9ed63b0c13a210174c49ef4935137caef9ea0408f6",),
        ),
    ),
    notes=(
        "A part: 2,002 of the 25,000 photos, at their original size.",
        "The labels stand in the file names: add --label-from name.",
        _LOCAL,
    ),
    label_from="name",
)

CATS_AND_DOGS_FILTERED = DataSet(
    name="cats-and-dogs-filtered",
    title="Cats and dogs, the 3,000 of Google's course",
    origin=f"{_ASIRRA}; 3,000 chosen by Google for its course",
    home="https://developers.google.com/machine-learning/practica/image-classification",
    licence=f"Not stated by the provider; that of the photos: {_ASIRRA_LICENCE}",
    citation=_ASIRRA_CITATION,
    classes=("cats", "dogs"),
    counts={"train": 2_000, "validation": 1_000},
    form="archive",
    files=(
        DataFile(
            "cats_and_dogs_filtered.zip",
            68_606_236,
            (),
            (f"{_GOOGLE}/mledu-datasets/cats_and_dogs_filtered.zip",),
        ),
    ),
    tree={
        "train/cats": 1_000,
        "train/dogs": 1_000,
        "validation/cats": 500,
        "validation/dogs": 500,
    },
)

CATS_DOGS_25K = DataSet(
    name="cats-dogs-25k",
    title="Cats and dogs, all 25,000",
    origin=_ASIRRA,
    home=_ASIRRA_HOME,
    licence=_ASIRRA_LICENCE,
    citation=_ASIRRA_CITATION,
    classes=("Cat", "Dog"),
    counts={"all": 25_000},
    form="archive",
    files=(
        DataFile(
            "kagglecatsanddogs_5340.zip",
            824_887_076,
            (),
            (
                "https://download.microsoft.com/download/3/E/1/"
                "3E1C3F21-ECDB-4869-8368-6DEBA77B919F/kagglecatsanddogs_5340.zip",
            ),
        ),
    ),
    tree={"PetImages/Cat": 12_500, "PetImages/Dog": 12_500},
    notes=(_BROKEN,),
    damaged=True,
)

CATS_DOGS_180PX = DataSet(
    name="cats-dogs-25k-180px",
    title="Cats and dogs, all 25,000 at 180x180",
    origin=f"{_ASIRRA}; reduced to 180x180",
    home=_ASIRRA_HOME,
    licence=_ASIRRA_LICENCE,
    citation=_ASIRRA_CITATION,
    classes=("Cat", "Dog"),
    counts={"all": 25_000},
    form="folders",
    files=(DataFile("cats-dogs-25k-180px.zip", None),),
    tree={"PetImages/Cat": 12_500, "PetImages/Dog": 12_500},
    notes=(
        "A reduced copy: 180x180, where the originals are about 500x375.",
        _LOCAL,
    ),
    damaged=True,
)

HAPPY_OR_SAD = DataSet(
    name="happy-or-sad",
    title="Happy or sad: 80 drawn faces",
    origin="Laurence Moroney, 2019, for his course",
    home=_HORSES_HOME,
    licence="Not stated by the provider",
    citation="L. Moroney, Introduction to TensorFlow for AI, ML and DL, Coursera, 2019",
    classes=("happy", "sad"),
    counts={"all": 80},
    form="archive",
    files=(
        DataFile(
            "happy-or-sad.zip",
            2_670_333,
            ("891cbe64fa5437598d9769baba2d68550dc3c688fb59523a42bfafc1a8f8cf6a",),
            (f"{_GOOGLE}/laurencemoroney-blog.appspot.com/happy-or-sad.zip",),
        ),
    ),
    tree={"happy": 40, "sad": 40},
    notes=("Its checksum is that of a copy; the provider publishes none.",),
)
