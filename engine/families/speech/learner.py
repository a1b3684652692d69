"""How a recognizer learns: from recordings and their transcripts, never told which word is when.

Shape legend: B batch, N recordings, T samples of a wave or frames of the encoder, F frames, M mel bands, L words, V
words and nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engine.core.errors import DataError
from engine.core.events import Baseline, Event
from engine.data.batches import in_order
from engine.data.edits import edits, error_rate
from engine.data.speech import NOTHING, Recordings, Speech
from engine.data.wav import RATE
from engine.families.speech import shown
from engine.families.speech.ctc import ctc_losses, fused_ctc_losses, spelled
from engine.families.speech.frontend import LogMel
from engine.families.speech.model import END, CTCRecognizer, Writer
from engine.families.speech.spec import MOST_WORDS
from engine.families.speech.varied import Varied
from engine.train.learner import Batch, Batches, Learner

AT_ONCE = 256
"""Recordings of a batch where nothing is learned."""


class SpeechLearner(Learner):
    """Trains a recognizer by CTC, or an encoder and a decoder that is given the true words before each.

    The features are computed once, before training: nothing in them is learned. The loss is in nats per word; a
    decoder's end counts as a word.
    """

    capturable = False  # torch's CTC kernel wants the lengths on the host

    def build(self) -> dict[str, nn.Module]:
        """Return the untrained model.

        Raises:
            DataError: the data are no recordings, a transcript is too long, or nobody is left to learn from.
        """
        spec, data = self.spec, self.setting.data
        if not isinstance(data, Speech):
            raise DataError(
                f"{data.name} has no recordings, which a recognizer of speech learns from.",
                "Use data=tones, data=spoken-digits, or a folder with a subfolder of wav files for each word.",
            )
        self.speech = data.hold_out(spec.held_out) if spec.held_out else data
        self.vocabulary = len(data.words) + 1
        self.front = LogMel(RATE, spec.window, spec.hop, spec.bands).to(self.setting.device)
        self._train, self._valid = self._prepared(self.speech.train), self._prepared(self.speech.valid)
        self.longest = int(self.speech.train.counts.max())
        self._check()
        self._heard: list[list[int]] = []
        self._said = self._transcripts(self.speech.valid)
        made = CTCRecognizer if self._ctc else Writer
        return {"model": made(spec, self.vocabulary)}

    @property
    def _ctc(self) -> bool:
        return bool(self.spec.objective == "ctc")

    def _prepared(self, recordings: Recordings) -> tuple[Tensor, ...]:
        """Return features ``NFM``, how many of the frames are real, transcripts, and their lengths."""
        pieces = in_order((recordings.waves, recordings.lengths), AT_ONCE)
        features_NFM = torch.cat([self.front(*piece) for piece in pieces])
        return features_NFM, self.front.frames(recordings.lengths), recordings.words, recordings.counts

    def _check(self) -> None:
        """Raise DataError where a transcript does not fit: into the decoder, or into the frames that CTC has, at the
        fastest tempo to which training warps.
        """
        if not self._ctc:
            if self.longest >= MOST_WORDS:
                raise DataError(f"A transcript has {self.longest} words; the decoder writes {MOST_WORDS - 1}.")
            return
        for (_, frames_N, words_NL, counts_N), warped in ((self._train, self.spec.warped), (self._valid, 0.0)):
            frames_N = (frames_N / (1 + warped)).long().clamp(min=1)
            repeats_N = ((words_NL[:, 1:] == words_NL[:, :-1]) & (words_NL[:, 1:] != NOTHING)).sum(1)
            kept_N = (frames_N - 1) // self.spec.reduction + 1
            if bool((kept_N < counts_N + repeats_N).any()):
                raise DataError(
                    "A recording has fewer frames than words, and CTC has one word a frame at most.",
                    "Use a smaller reduction or hop" + (", or a smaller warped." if warped else "."),
                )

    def _transcripts(self, recordings: Recordings) -> list[list[int]]:
        """Return the words of each recording, without what pads them."""
        return [[word for word in words if word != NOTHING] for words in recordings.words.tolist()]

    def batches(self) -> Batches:
        """Return shuffled batches, varied as `masked` and `warped` ask for."""
        spec = self.spec
        return Varied(self._train, spec.batch_size, self.setting.seed, masked=spec.masked, warped=spec.warped)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Return the mean over the recordings of the loss per word, in nats.

        Validation's is over all words. Here each recording counts the same, so that a batch may be cut into pieces.
        """
        features_BFM, frames_B, words_BL, counts_B = batch
        losses_B, tokens_B = self._losses(features_BFM, frames_B, words_BL, counts_B)
        return {"loss": (losses_B / tokens_B).mean()}

    def _losses(
        self, features_BFM: Tensor, frames_B: Tensor, words_BL: Tensor, counts_B: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return the summed loss of each recording in nats, and over how many words."""
        if self._ctc:
            log_chances_BTV, lengths_B = self.modules["model"](features_BFM, frames_B)
            # Not every torch has a kernel for Apple's GPU.
            fused = self.spec.kernel == "fused" and self.setting.device.type != "mps"
            losses = fused_ctc_losses if fused else ctc_losses
            return losses(log_chances_BTV, lengths_B, words_BL, counts_B), counts_B
        given_BL = F.pad(words_BL, (1, 0), value=END)
        wanted_BL = F.pad(words_BL, (0, 1), value=END)
        logits_BLV = self.modules["model"](features_BFM, frames_B, given_BL)
        losses_BL = F.cross_entropy(logits_BLV.mT, wanted_BL, reduction="none")
        counted_BL = torch.arange(wanted_BL.size(1), device=words_BL.device) <= counts_B[:, None]
        return (losses_BL * counted_BL).sum(1), counts_B + 1

    def valid_batches(self) -> Iterator[Batch]:
        """Yield the validation split in its order."""
        self._heard = []
        return in_order(self._valid, AT_ONCE)

    def valid_step(self, batch: Batch) -> dict[str, tuple[Tensor, int]]:
        """Return summed loss, changed words and whole transcripts without an error; of CTC also the frames in which
        nothing is likeliest. What was heard is kept.
        """
        features_BFM, frames_B, words_BL, counts_B = batch
        losses_B, tokens_B = self._losses(features_BFM, frames_B, words_BL, counts_B)
        start = len(self._heard)
        said = self._said[start : start + len(features_BFM)]
        heard, blanks = self._recognize(features_BFM, frames_B)
        self._heard += heard
        wrong = sum(edits(one, other) for one, other in zip(said, heard, strict=True))
        right = sum(one == other for one, other in zip(said, heard, strict=True))
        measured = {
            "loss": (losses_B.sum(), int(tokens_B.sum())),
            "word_error": (losses_B.new_tensor(wrong), sum(map(len, said))),
            "accuracy": (losses_B.new_tensor(right), len(said)),
        }
        return measured | ({"blank_rate": blanks} if blanks else {})

    def _recognize(self, features_BFM: Tensor, frames_B: Tensor) -> tuple[list[list[int]], tuple[Tensor, int] | None]:
        """Return the likeliest words of each recording, taken one by one; of CTC also how many frames say nothing, of
        how many.
        """
        model = self.modules["model"]
        if isinstance(model, Writer):
            written = model.write(features_BFM, frames_B, min(MOST_WORDS - 1, self.longest + 1)).tolist()
            return [[word for word in words if word != END] for words in written], None
        log_chances_BTV, lengths_B = model(features_BFM, frames_B)
        rows, lengths = log_chances_BTV.argmax(-1).tolist(), lengths_B.tolist()
        own = [path[:length] for path, length in zip(rows, lengths, strict=True)]
        blanks = sum(path.count(NOTHING) for path in own)
        return [spelled(path) for path in own], (log_chances_BTV.new_tensor(blanks), sum(lengths))

    def transcribe(self, waves_NT: Tensor, lengths_N: Tensor) -> list[list[int]]:
        """Return the likeliest words of some recordings, 16-bit samples at the rate of all speech here."""
        features_NFM = self.front(waves_NT, lengths_N)
        with self.autocast():
            return self._recognize(features_NFM, self.front.frames(lengths_N))[0]

    def hears(self, waves_1T: Tensor, lengths_1: Tensor, heard: list[int]) -> Iterator[Event]:
        """Yield the features of one recording, and in which frames the words are that `transcribe` heard in it: the
        probabilities of CTC, or where a decoder looks, the mean over its heads.
        """
        features_1FM, frames_1 = self.front(waves_1T, lengths_1), self.front.frames(lengths_1)
        seconds = float(lengths_1[0]) / RATE
        yield shown.log_mel(features_1FM[0, : int(frames_1[0])], seconds)
        model, names = self.modules["model"], ["nothing", *self.speech.words]
        with self.autocast():
            if isinstance(model, Writer):
                encoded = model.encoder(features_1FM, frames_1)
                given_1L = torch.tensor([[END, *heard]], device=self.setting.device)
                looks_LT = model.decode(given_1L, encoded)[1][0].float().mean(0)[:, : int(encoded.lengths[0])]
                rows = [*(names[word] for word in heard), "end"]
                yield shown.alignment("cross-attention", looks_LT, rows, seconds, "writing")
            else:
                log_chances_1TV, lengths = model(features_1FM, frames_1)
                chances_VT = log_chances_1TV[0, : int(lengths[0])].exp().T
                yield shown.alignment("alignment", chances_VT, names, seconds, "says")

    def draw(self, step: int) -> Iterator[Event]:
        """Yield the first recording for validation as it is heard, and what was heard in all at the last evaluation."""
        few = self.speech.valid.pick(torch.arange(min(shown.ROWS_SHOWN, len(self._said)), device=self.setting.device))
        heard = self.transcribe(few.waves, few.lengths)
        yield from self.hears(few.waves[:1], few.lengths[:1], heard[0])
        yield shown.transcripts(self.speech, self._said, heard)
        if len(self._heard) == len(self._said):
            yield shown.by_speaker(self.speech, self._said, self._heard)

    def baselines(self) -> Iterator[Event]:
        """Yield what one word for everything reaches, and where every transcript is one word, the nearest mean
        spectrum.
        """
        commonest = Counter(word for words in self._transcripts(self.speech.train) for word in words).most_common(1)
        word = commonest[0][0]
        always = error_rate(self._said, [[word]] * len(self._said))
        source = f"always {self.speech.words[word - 1]}"
        yield Baseline(metric="valid/word_error", name="one word", value=always, source=source)
        if int(self.speech.train.counts.max()) == 1:
            yield Baseline(
                metric="valid/word_error",
                name="nearest spectrum",
                value=self._nearest_spectrum(),
                source="the word whose mean spectrum over all frames is nearest",
            )

    def _nearest_spectrum(self) -> float:
        """Return the word error of taking the word whose mean spectrum is nearest to a recording's."""
        train_NM, valid_NM = (features.sum(1) / frames[:, None] for features, frames, *_ in (self._train, self._valid))
        words_N = self._train[2][:, 0]
        means_KM = torch.stack([train_NM[words_N == word].mean(0) for word in words_N.unique()])
        nearest_N = words_N.unique()[torch.cdist(valid_NM, means_KM).argmin(1)]
        return error_rate(self._said, nearest_N[:, None].tolist())

    def flops_per_sample(self) -> float:
        """Return the operations of forward and backward on one recording, its padding included."""
        words = float(self.speech.train.counts.float().mean())
        return float(self.spec.flops(self._train[0].size(1), words, self.vocabulary))
