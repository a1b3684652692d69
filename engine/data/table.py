"""Every data set that Lexigrad knows by name: what it is, where it comes from, and how its files are told to be right.

Torch-free. Data lie as ``<data>/<folder>/<original file>``; what is embedded or generated has no files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.core.errors import DataError, suggest

Kind = Literal[
    "plane",
    "table",
    "pictures",
    "text",
    "pairs",
    "series",
    "sentences",
    "weights",
    "translations",
    "captions",
    "speech",
]

_FASHION = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion"
_MULTI30K = "https://raw.githubusercontent.com/multi30k/dataset/master/data/task1/raw"
_MNIST = "https://ossci-datasets.s3.amazonaws.com/mnist"
_CHAR_RNN = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data"
_NLTK = "https://raw.githubusercontent.com/nltk/nltk_data/gh-pages/packages/corpora"
_GENSIM = "https://raw.githubusercontent.com/piskvorky/gensim/develop/gensim/test/test_data"
_GPT_2 = "https://huggingface.co/openai-community/gpt2/resolve/607a30d783dfa663caf39e06633721c8d4cfcd7e"
_RESNET_18 = "https://huggingface.co/timm/resnet18.tv_in1k/resolve/a987fd6b60f845221bfff84b6f0191273ba56ead"


@dataclass(frozen=True, slots=True)
class File:
    """One file of a data set, as its source publishes it."""

    name: str
    url: str
    """Empty where no address of these very bytes is known; a person puts the file into its place then."""
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """One row of the table."""

    name: str
    title: str
    kind: Kind
    summary: str
    """One sentence: what an example is, and what is to be told from it."""
    license: str
    citation: str
    loader: str = ""
    """``module:function`` of ``engine.data`` that takes this row and a seed; empty where it is not trained on."""
    files: tuple[File, ...] = ()
    folder: str = ""
    """Where its files lie below a data folder."""
    examples: int = 0
    """For training; the characters of a text. 0 where the person's knobs decide."""
    inputs: int = 0
    """Numbers that describe an example; 0 for a text."""
    outputs: int = 0
    """Classes to tell apart; 0 for a text."""

    @property
    def embedded(self) -> bool:
        """Whether it is there without a download."""
        return not self.files

    @property
    def bytes(self) -> int:
        """Size of the download."""
        return sum(file.bytes for file in self.files)


_FASHION_FILES = (
    File(
        "train-images-idx3-ubyte.gz", f"{_FASHION}/train-images-idx3-ubyte.gz", 26_421_880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    ),
    File(
        "train-labels-idx1-ubyte.gz", f"{_FASHION}/train-labels-idx1-ubyte.gz", 29_515,
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    ),
    File(
        "t10k-images-idx3-ubyte.gz", f"{_FASHION}/t10k-images-idx3-ubyte.gz", 4_422_102,
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    ),
    File(
        "t10k-labels-idx1-ubyte.gz", f"{_FASHION}/t10k-labels-idx1-ubyte.gz", 5_148,
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
)  # fmt: skip
"""Of Fashion-MNIST, which two rows read."""

_ROWS = (
    DataSet(
        name="moons", title="Two moons", kind="plane", loader="planes:load_plane", examples=800, inputs=2, outputs=2,
        summary="Points of two interlocking half circles in a plane.",
        license="our own, generated", citation="After scikit-learn's make_moons.",
    ),
    DataSet(
        name="rings", title="Two rings", kind="plane", loader="planes:load_plane", examples=800, inputs=2, outputs=2,
        summary="Points of a small ring inside a large one.",
        license="our own, generated", citation="After scikit-learn's make_circles.",
    ),
    DataSet(
        name="spiral", title="Two spirals", kind="plane", loader="planes:load_plane", examples=800, inputs=2, outputs=2,
        summary="Points of two spirals wound around each other.",
        license="our own, generated",
        citation="After Lang and Witbrock, Learning to tell two spirals apart, 1988.",
    ),
    DataSet(
        name="ring", title="A ring of eight Gaussians", kind="plane",
        loader="planes:load_plane", examples=3200, inputs=2, outputs=8,
        summary="Points of eight Gaussians on a circle, for models that are to give more of the same.",
        license="our own, generated",
        citation="After L. Metz et al., Unrolled Generative Adversarial Networks, 2016.",
    ),
    DataSet(
        name="digits", title="Optical digits 8x8", kind="pictures",
        loader="bundled:load_bundled", examples=1438, inputs=64, outputs=10,
        summary="Handwritten digits of 8 by 8 pixels.",
        license="CC BY 4.0, shipped with scikit-learn",
        citation="E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.",
    ),
    DataSet(
        name="breast-cancer", title="Breast cancer (Wisconsin, diagnostic)", kind="table",
        loader="bundled:load_bundled",
        examples=456, inputs=30, outputs=2,
        summary="Measurements of cell nuclei, benign or malignant.",
        license="CC BY 4.0, shipped with scikit-learn",
        citation="W. Wolberg, O. Mangasarian and N. Street, Breast Cancer Wisconsin (Diagnostic), UCI, 1993.",
    ),
    DataSet(
        name="wine", title="Wine", kind="table", loader="bundled:load_bundled", examples=142, inputs=13, outputs=3,
        summary="Chemical measurements of wines of three cultivars.",
        license="CC BY 4.0, shipped with scikit-learn",
        citation="S. Aeberhard and M. Forina, Wine, UCI, 1992.",
    ),
    DataSet(
        name="fashion-mnist", title="Fashion-MNIST", kind="pictures",
        loader="idx:load_idx_pictures", folder="fashion_mnist",
        examples=60_000, inputs=784, outputs=10,
        summary="Pictures of clothes, 28 by 28 pixels, in ten classes.",
        license="MIT, (c) 2017 Zalando SE",
        citation="H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST: a Novel Image Dataset for Benchmarking, 2017.",
        files=_FASHION_FILES,
    ),
    DataSet(
        name="shapes", title="Drawn shapes with captions", kind="captions", loader="shapes:load_shapes",
        examples=2_400, inputs=768, outputs=20,
        summary="Circles, squares, triangles and crosses in four colors, each with a sentence that says what it is.",
        license="our own, generated", citation="Lexigrad's family clip.",
    ),
    DataSet(
        name="fashion-captions", title="Fashion-MNIST with captions", kind="captions",
        loader="captions:load_clothes", folder="fashion_mnist",
        examples=48_000, inputs=784, outputs=41,
        summary="Pictures of clothes, each with a sentence that names or describes it; two classes are held out.",
        license="MIT, (c) 2017 Zalando SE; the captions are our own",
        citation="H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST: a Novel Image Dataset for Benchmarking, 2017.",
        files=_FASHION_FILES,
    ),
    DataSet(
        name="mnist", title="MNIST", kind="pictures",
        loader="idx:load_idx_pictures", folder="mnist", examples=60_000, inputs=784, outputs=10,
        summary="Handwritten digits of 28 by 28 pixels.",
        license="not stated at the source",
        citation="Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, Gradient-based learning applied to document"
        " recognition, 1998.",
        files=(
            File(
                "train-images-idx3-ubyte.gz", f"{_MNIST}/train-images-idx3-ubyte.gz", 9_912_422,
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            File(
                "train-labels-idx1-ubyte.gz", f"{_MNIST}/train-labels-idx1-ubyte.gz", 28_881,
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            File(
                "t10k-images-idx3-ubyte.gz", f"{_MNIST}/t10k-images-idx3-ubyte.gz", 1_648_877,
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            File(
                "t10k-labels-idx1-ubyte.gz", f"{_MNIST}/t10k-labels-idx1-ubyte.gz", 4_542,
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
    ),
    DataSet(
        name="cifar-10", title="CIFAR-10", kind="pictures",
        loader="cifar:load_cifar", folder="cifar10", examples=50_000, inputs=3072, outputs=10,
        summary="Color pictures of 32 by 32 pixels in ten classes: airplane, automobile, bird, cat ...",
        license="not stated at the source",
        citation="A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.",
        files=(
            File(
                "cifar-10-binary.tar.gz", "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", 170_052_171,
                "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
            ),
        ),
    ),
    DataSet(
        name="glossary", title="The glossary's own text", kind="text", loader="corpora:load_corpus",
        summary="The prose of Lexigrad's entries as of a date, frozen so that editing an entry moves no figure.",
        license="MIT, (c) the Lexigrad authors", citation="Lexigrad's glossary.",
    ),
    DataSet(
        name="glossary-questions", title="The glossary's questions and answers", kind="text",
        loader="corpora:load_corpus",
        summary="The questions of Lexigrad's entries with their answers, frozen likewise and not in its prose.",
        license="MIT, (c) the Lexigrad authors", citation="Lexigrad's glossary.",
    ),
    DataSet(
        name="made-language", title="A made-up language", kind="text", loader="corpora:load_corpus", examples=1_800_000,
        summary="Text of a language whose entropy is known: each letter depends on the four before it.",
        license="our own, generated", citation="Lexigrad's lab on scaling laws.",
    ),
    DataSet(
        name="many-tasks", title="Many small tasks", kind="text", loader="corpora:load_corpus",
        summary="Small tasks with words, each told by examples alone: copy, reverse, sort, count ...",
        license="our own, generated", citation="Lexigrad's lab on prompt engineering.",
    ),
    DataSet(
        name="sine", title="Two waves with noise", kind="series", loader="series:load_series",
        examples=36_000, outputs=73,
        summary="Values of two sine waves and noise, in the order of time; the next value is to be foreseen.",
        license="our own, generated", citation="Lexigrad's family rnn.",
    ),
    DataSet(
        name="tones", title="Tones spelled as digits", kind="speech", loader="tones:load_tones",
        examples=2_000, inputs=98, outputs=11,
        summary="One to five digits as a telephone dials them, each a chord of two tones, with noise on the line.",
        license="our own, generated", citation="Lexigrad's family speech; the tones are those of ITU-T Q.23.",
    ),
    DataSet(
        name="spoken-digits", title="Free Spoken Digit Dataset", kind="speech",
        loader="spoken_digits:load_spoken_digits", folder="fsdd", examples=2_700, inputs=98, outputs=11,
        summary="The digits in English, spoken by six people; 300 recordings are for validation.",
        license="CC BY-SA 4.0",
        citation="Z. Jackson et al., Free Spoken Digit Dataset, github.com/Jakobovski/free-spoken-digit-dataset;"
        " its folder recordings as a .tar.xz.",
        files=(
            File(
                "free-spoken-digit-dataset.tar.xz", "", 13_505_216,
                "d17219b564e7e9bde87424c550374d3ea5feb2bbb020be0eb93dbe8c20494155",
            ),
        ),
    ),
    DataSet(
        name="tiny-shakespeare", title="Tiny Shakespeare", kind="text",
        loader="corpora:load_corpus", folder="tinyshakespeare", examples=1_003_854,
        summary="A megabyte of Shakespeare's plays.",
        license="text in the public domain, repository MIT",
        citation="A. Karpathy, char-rnn, 2015.",
        files=(
            File(
                "input.txt", f"{_CHAR_RNN}/tinyshakespeare/input.txt", 1_115_394,
                "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            ),
        ),
    ),
    DataSet(
        name="sentence-polarity", title="Sentence polarity", kind="sentences",
        loader="sentences:load_polarity", folder="sentence_polarity", examples=8_530, outputs=2,
        summary="Single sentences of movie reviews, each praise or blame.",
        license="CC BY 4.0, (c) 2005 Bo Pang and Lillian Lee",
        citation="B. Pang and L. Lee, Seeing Stars: Exploiting Class Relationships for Sentiment Categorization with"
        " Respect to Rating Scales, 2005.",
        files=(
            File(
                "sentence_polarity.zip", f"{_NLTK}/sentence_polarity.zip", 490_256,
                "6e1ed4405b65c7eabf1d199a7f7c437091ac21da0ea7467b410a74062574566b",
            ),
        ),
    ),
    DataSet(
        name="reverse", title="Words to reverse", kind="translations", loader="pairs:load_task",
        examples=20_000, inputs=9, outputs=30,
        summary="Words of 4 to 12 random letters, each with the same from its end.",
        license="our own, generated", citation="Lexigrad's family transformer.",
    ),
    DataSet(
        name="sort", title="Words to sort", kind="translations", loader="pairs:load_task",
        examples=20_000, inputs=9, outputs=30,
        summary="Words of 4 to 12 random letters, each with its letters in alphabetical order.",
        license="our own, generated", citation="Lexigrad's family transformer.",
    ),
    DataSet(
        name="dates", title="Dates to ISO 8601", kind="translations", loader="pairs:load_task",
        examples=20_000, inputs=14, outputs=63,
        summary="Days from 1950 to 2049 in eighteen written forms, each with its form in ISO 8601.",
        license="our own, generated", citation="Lexigrad's family transformer.",
    ),
    DataSet(
        name="multi30k-de-en", title="Multi30k, German to English", kind="translations",
        loader="pairs:load_translations", folder="multi30k", examples=29_000, inputs=16, outputs=110,
        summary="Captions of pictures in German, each with its English original.",
        license="not stated at the source; for non-commercial research and education",
        citation="D. Elliott, S. Frank, K. Sima'an and L. Specia, Multi30K: Multilingual English-German Image"
        " Descriptions, 2016.",
        files=(
            File(
                "train.de.gz", f"{_MULTI30K}/train.de.gz", 637_044,
                "726e39b2fa9eb9ffb6dc763fb35a179f80fae06ffc5d28b6ace5faa883de28a6",
            ),
            File(
                "train.en.gz", f"{_MULTI30K}/train.en.gz", 568_929,
                "d79cfa999dd4c51d2cb42499b6796d5a882c3a8a961923c25a898c90f8bbd56f",
            ),
            File(
                "val.de.gz", f"{_MULTI30K}/val.de.gz", 24_681,
                "f0cba2f995189cf5770f29a8a9a537a3ad3f51657ad873405082ff6863a5e75a",
            ),
            File(
                "val.en.gz", f"{_MULTI30K}/val.en.gz", 21_650,
                "14f7d25ddd868909a9213e361768460edcacdd6ab9d1e77b92560dc10c10dc28",
            ),
            File(
                "test_2016_flickr.de.gz", f"{_MULTI30K}/test_2016_flickr.de.gz", 22_890,
                "9204244e408ccb38d2a55cfcd344df15005fc42a07a6e55ca6c52b6ababb8cc8",
            ),
            File(
                "test_2016_flickr.en.gz", f"{_MULTI30K}/test_2016_flickr.en.gz", 21_077,
                "611d361c6334bc7246101d48097c13cf5c4413c5befc793cc629934359d532d9",
            ),
        ),
    ),
    DataSet(
        name="wordsim-353", title="WordSim-353", kind="pairs", folder="wordsim", examples=353,
        summary="Pairs of English words with people's judgment of their relatedness, for measuring word vectors.",
        license="not stated at the source",
        citation="L. Finkelstein et al., Placing Search in Context: The Concept Revisited, 2002.",
        files=(
            File(
                "wordsim353.tsv", f"{_GENSIM}/wordsim353.tsv", 7_186,
                "f92a022fc2537793a15bc3a8c162ebcd74990e033a228bb6388cb71e4c0b1e1d",
            ),
        ),
    ),
    DataSet(
        name="gpt-2", title="GPT-2, 124 million parameters", kind="weights", folder="gpt2",
        summary="The smallest GPT-2 as OpenAI published it, with its tokens.",
        license="MIT, OpenAI; as safetensors in openai-community/gpt2",
        citation="A. Radford et al., Language Models are Unsupervised Multitask Learners, 2019.",
        files=(
            File(
                "model.safetensors", f"{_GPT_2}/model.safetensors", 548_105_171,
                "248dfc3911869ec493c76e65bf2fcf7f615828b0254c12b473182f0f81d3a707",
            ),
            File(
                "merges.txt", f"{_GPT_2}/merges.txt", 456_318,
                "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
            ),
            File(
                "vocab.json", f"{_GPT_2}/vocab.json", 1_042_301,
                "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
            ),
        ),
    ),
    DataSet(
        name="resnet-18-imagenet", title="ResNet-18, trained on ImageNet", kind="weights", folder="resnet18_imagenet",
        summary="torchvision's weights of a ResNet-18 that tells the 1,000 classes of ImageNet apart.",
        license="BSD-3-Clause, torchvision; as safetensors in timm/resnet18.tv_in1k",
        citation="K. He, X. Zhang, S. Ren and J. Sun, Deep Residual Learning for Image Recognition, 2015.",
        files=(
            File(
                "model.safetensors", f"{_RESNET_18}/model.safetensors", 46_807_446,
                "694f673df6520a3158624e8a89af086f59923ee4cd7436fe5bc3bc71d295ad81",
            ),
        ),
    ),
)  # fmt: skip

TABLE: dict[str, DataSet] = {row.name: row for row in _ROWS}


def data_set(name: str) -> DataSet:
    """Return the row of that name.

    Raises:
        DataError: there is none; the message names the nearest.
    """
    if name not in TABLE:
        raise DataError(f"There is no data set '{name}'.", suggest(name, list(TABLE)))
    return TABLE[name]
