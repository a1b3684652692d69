"""What can be said about speech recognition without torch: its knobs, presets, panels and plays."""

from __future__ import annotations

from dataclasses import dataclass

from engine.core import shared_knobs
from engine.core.errors import UsageError
from engine.core.spec import Family, Metric, Panel, Play, Preset, Settings, Spec, Value, knob

USUAL_VOCABULARY = 11
"""Digits and nothing, for estimates before the data were read."""
USUAL_FRAMES = 98
"""Of a second, likewise."""
USUAL_WORDS = 3
MOST_WORDS = 64
"""Room of the decoder's table of positions."""
KERNEL = 5
"""Frames that a convolution of the encoder sees."""
EXPANSION = 4
"""How many times wider the MLP of an attention block is inside."""


@dataclass(frozen=True, kw_only=True)
class SpeechSpec(Spec):
    """The knobs of a recognizer: what it hears, how it is built, what it descends and how long it trains.

    Raises:
        UsageError: the width cannot be shared out among the heads, three frames are to become one, frames leave out
            what is between them, or a speaker is held out of a part of the recordings.
    """

    data: str = knob("tones", "The recordings to learn from.", entry="speech-recognition")
    held_out: str = knob(
        "",
        "A speaker whose recordings all are for validation; empty keeps the usual split, in which everyone is known.",
        entry="data-split",
    )
    objective: str = knob(
        "ctc",
        "A word or nothing for each frame, summed over all alignments; or a decoder that writes and looks back.",
        choices=("ctc", "encoder-decoder"),
        entry="connectionist-temporal-classification",
    )
    encoder: str = knob(
        "convolution",
        "How a frame learns of the others: from its neighbors, or by attention from all.",
        choices=("convolution", "attention"),
        entry="convolution",
    )
    layers: int = knob(2, "How many blocks the encoder has, and as many a decoder.", low=1, high=32, entry="layer")
    width: int = knob(
        64, "Channels of the stream that runs through all blocks.", low=2, high=4096, unit="channels",
        entry="feature-map",
    )  # fmt: skip
    heads: int = knob(4, "How many attention heads work side by side.", low=1, high=64, entry="multi-head-attention")
    reduction: int = knob(
        2, "How many frames become one before the blocks: 1, 2 or 4.", low=1, high=4, unit="frames",
        entry="stride-and-padding",
    )  # fmt: skip
    bands: int = knob(
        40, "Mel bands into which a frame's spectrum is summed.", low=4, high=128, unit="bands",
        entry="speech-recognition",
    )  # fmt: skip
    window: float = knob(
        25.0, "How long a frame is.", low=5.0, high=200.0, unit="milliseconds", entry="speech-recognition"
    )
    hop: float = knob(
        10.0, "How far apart frames begin.", low=1.0, high=100.0, unit="milliseconds", entry="speech-recognition"
    )
    masked: float = knob(
        0.0,
        "Largest share of the bands, and of the frames, that training hides in one stripe each.",
        low=0.0,
        high=0.9,
        entry="data-augmentation",
    )
    warped: float = knob(
        0.0,
        "Largest change of tempo in training; the bands are stretched by up to a quarter of it.",
        low=0.0,
        high=0.5,
        entry="data-augmentation",
    )
    kernel: str = knob(
        "fused",
        "The sum over alignments by torch's kernel, or as it is written here; both give the same.",
        choices=("fused", "written"),
        entry="connectionist-temporal-classification",
    )
    dropout: float = knob(
        0.0, "Share of a block's numbers that are zeroed at random in training.", low=0.0, high=0.95, entry="dropout"
    )
    steps: int = shared_knobs.steps(400)
    batch_size: int = knob(
        32, "How many recordings one step averages its gradient over.", low=1, high=65536, unit="recordings",
        entry="mini-batch-and-batch-size",
    )  # fmt: skip
    optimizer: str = shared_knobs.muon()
    learning_rate: float = shared_knobs.learning_rate(0.02)
    clip: float = knob(
        1.0, "Largest allowed norm of the whole gradient; 0 clips nothing.", low=0.0, high=1e6,
        entry="exploding-gradient-and-clipping",
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.reduction == 3:
            raise UsageError("Three frames cannot become one: each of two convolutions halves or keeps them.",
                             "Use reduction=2 or reduction=4.")  # fmt: skip
        if self.attends:
            shared_knobs.share_out(self.width, self.heads)
        if self.hop > self.window:
            raise UsageError(
                f"Frames of {self.window:g} ms that begin {self.hop:g} ms apart leave out what is between them.",
                f"Use hop={self.window:g} or less.",
            )
        if self.held_out and self.examples:
            raise UsageError(
                "All recordings of a speaker cannot be held out of a part of them.", "Use examples=0, or no held_out."
            )

    @property
    def attends(self) -> bool:
        """Whether there is attention anywhere."""
        return self.encoder == "attention" or self.objective == "encoder-decoder"

    @property
    def strides(self) -> tuple[int, int]:
        """By how much each of the two first convolutions thins out the frames."""
        return {1: (1, 1), 2: (1, 2), 4: (2, 2)}[self.reduction]

    def total_samples(self, examples: int) -> int:
        """Return how many recordings the whole run trains on."""
        return self.steps * self.batch_size

    def parameters(self, inputs: int, outputs: int) -> int:
        """Return the number of trained numbers; `outputs` counts the words and nothing."""
        C, V = self.width, outputs or USUAL_VOCABULARY
        first, block, decoder = self._weights()
        block_rest = 3 * C if self.encoder == "convolution" else (3 + 1 + EXPANSION) * C + 2 * C
        encoder = first + 2 * C + self.layers * (block + block_rest) + C
        if self.objective == "ctc":
            return encoder + V * C + V
        decoder_rest = (3 + 3 + 1 + EXPANSION) * C + 3 * C
        return encoder + V * C + MOST_WORDS * C + self.layers * (decoder + decoder_rest) + C + V * C + V

    def flops_per_sample(self, inputs: int, outputs: int) -> int:
        """Estimate the operations on one recording of `inputs` frames: six a frame and weight."""
        frames, V = inputs or USUAL_FRAMES, outputs or USUAL_VOCABULARY
        return self.flops(frames, USUAL_WORDS, V)

    def flops(self, frames: int, words: float, vocabulary: int) -> int:
        """Estimate the operations of forward and backward on one recording, those of attention's products included."""
        C, (one, two) = self.width, self.strides
        early = -(-frames // one)
        late = -(-early // two)
        block, decoder = self._weights()[1:]
        spent = early * 3 * self.bands * C + late * 3 * C * C + self.layers * late * block
        if self.encoder == "attention":
            spent += self.layers * 2 * C * late**2
        if self.objective == "ctc":
            return round(6 * (spent + late * vocabulary * C))
        asked = 2 * C * C  # cross-attention's keys and values are of the frames
        written = words + 1
        inside = self.layers * (written * (decoder - asked) + late * asked + 2 * C * (written**2 + written * late))
        return round(6 * (spent + inside + written * vocabulary * C))

    def _weights(self) -> tuple[int, int, int]:
        """Return the number of weights in the first convolutions, in a block of the encoder, and of the decoder."""
        C = self.width
        first = 3 * self.bands * C + 3 * C * C
        attention = 4 * C * C + 2 * EXPANSION * C * C
        block = KERNEL * C * C + C * C if self.encoder == "convolution" else attention
        return first, block, attention + 4 * C * C


@dataclass(frozen=True, kw_only=True)
class TranscribeSettings(Settings):
    """What is transcribed."""

    file: str = knob(
        "",
        "A wav file of your own, of a longer one its loudest 4 seconds; without one a recording of the validation "
        "split.",
    )
    example: int = knob(0, "Which recording of the validation split.", low=0, high=10**9, entry="data-split")


SPOKEN: dict[str, Value] = {
    "data": "spoken-digits",
    "encoder": "attention",
    "reduction": 4,
    "masked": 0.15,
    "warped": 0.2,
    "ema": 0.99,
}
"""Attention, because the one frame that says a word has to have heard all of it."""


PRESETS = (
    Preset(
        name="quick",
        seconds=10.0,
        help="Learns to read dialed digits off their tones by CTC, told only which digits, not when.",
        knobs={"data": "tones", "steps": 300},
    ),
    Preset(
        name="writer",
        help="The same tones by an encoder and a decoder that looks back, as Whisper has it.",
        knobs={"data": "tones", "objective": "encoder-decoder", "steps": 600},
    ),
    Preset(
        name="real",
        help="Spoken digits by CTC; who speaks in validation was heard in training.",
        knobs={**SPOKEN, "steps": 1200},
    ),
    Preset(
        name="real-writer",
        help="Spoken digits by an encoder and a decoder with attention.",
        knobs={**SPOKEN, "objective": "encoder-decoder", "encoder": "convolution", "steps": 1000},
    ),
    Preset(
        name="new-speaker",
        help="Spoken digits by CTC, judged by a person whom training never heard.",
        knobs={**SPOKEN, "held_out": "theo", "steps": 1200},
    ),
    Preset(
        name="standard",
        help="Spoken digits by attention upon two convolutions, as wide as it gets in minutes on one GPU.",
        knobs={
            **SPOKEN,
            "objective": "encoder-decoder",
            "layers": 4,
            "width": 256,
            "bands": 80,
            "reduction": 2,
            "batch_size": 128,
            "steps": 2000,
            "dropout": 0.2,
            "weight_decay": 0.05,
            "ema": 0.998,
        },
    ),
)

FAMILY = Family(
    name="speech",
    title="Speech recognition",
    summary="Hears a recording as bands of loudness over time and writes down what is said in it.",
    entry="speech-recognition",
    spec=SpeechSpec,
    presets=PRESETS,
    panels=(
        Panel(
            events=("train/loss", "valid/loss"), kind="line", title="Loss", unit="nats per word", entry="cross-entropy"
        ),
        Panel(
            events=("valid/word_error",),
            kind="line",
            title="Word error rate",
            unit="%",
            entry="speech-recognition",
        ),
        Panel(
            events=("log-mel",), kind="heatmap", title="Log-mel heard, high bands on top", entry="speech-recognition"
        ),
        Panel(
            events=("alignment",),
            kind="heatmap",
            title="Which word in which frame",
            entry="connectionist-temporal-classification",
            when=("objective", "ctc"),
        ),
        Panel(
            events=("cross-attention",),
            kind="heatmap",
            title="Where it looks while it writes",
            entry="cross-attention",
            when=("objective", "encoder-decoder"),
        ),
        Panel(events=("transcripts",), kind="table", title="Said and heard", entry="speech-recognition"),
        Panel(events=("errors by speaker",), kind="table", title="Errors by speaker", entry="generalization"),
        Panel(
            events=("valid/blank_rate",),
            kind="line",
            title="Frames without a word",
            unit="%",
            entry="connectionist-temporal-classification",
            when=("objective", "ctc"),
        ),
        Panel(events=("gradient_norm",), kind="line", title="Gradient norm", entry="exploding-gradient-and-clipping"),
        Panel(events=("learning_rate",), kind="line", title="Learning rate", entry="learning-rate"),
    ),
    headline=(
        Metric(name="valid/word_error", title="Word error rate", unit="%"),
        Metric(name="valid/accuracy", title="Whole transcripts right", unit="%", higher=True),
        Metric(name="valid/loss", title="Loss", unit="nats per word"),
    ),
    learner="engine.families.speech.learner:SpeechLearner",
    data=("tones", "spoken-digits"),
    own_data="a folder of wav files by class",
    plays=(
        Play(
            name="transcribe",
            help="Let it write down a recording, and see where it heard each word.",
            settings=TranscribeSettings,
            act="engine.play.transcribe:transcribe",
            words="file",
        ),
    ),
    code=(
        "families/speech/model.py",
        "families/speech/frontend.py",
        "families/speech/ctc.py",
        "families/speech/learner.py",
        "families/speech/varied.py",
        "data/tones.py",
        "families/speech/spec.py",
    ),
)
