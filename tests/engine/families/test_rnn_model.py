"""What is true of recurrent networks whatever they have learned, and that their cells are those of torch."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from engine.core.errors import UsageError
from engine.families.rnn.model import CELLS, LSTM, Recurrent, RecurrentNetwork
from engine.families.rnn.spec import RNNSpec

V, B, T, INPUTS, H = 11, 3, 12, 5, 7
TORCHS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
cells = pytest.mark.parametrize("cell", CELLS)


def network(cell: str, layers: int = 2, **knobs: object) -> RecurrentNetwork:
    torch.manual_seed(0)
    built = RecurrentNetwork(RNNSpec.of({"cell": cell, "layers": layers, "width": H, "embedding": 4, **knobs}), V)  # type: ignore[arg-type]
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))
    return built.eval()


def layer(cell: str, *, fused: bool = False) -> Recurrent:
    torch.manual_seed(1)
    return CELLS[cell](INPUTS, H, fused=fused)


def tokens(time: int = T) -> Tensor:
    return torch.randint(V, (B, time), generator=torch.Generator().manual_seed(7))


def inputs(states: int) -> tuple[Tensor, tuple[Tensor, ...]]:
    generator = torch.Generator().manual_seed(5)
    x_TBI = torch.randn(T, B, INPUTS, generator=generator)
    return x_TBI, tuple(0.5 * torch.randn(B, H, generator=generator) for _ in range(states))


@cells
def test_it_starts_with_every_token_equally_likely(cell: str) -> None:
    model = RecurrentNetwork(RNNSpec.of({"cell": cell}), V)
    scores_BTV, _ = model(tokens(), model.blank(B))
    assert torch.equal(scores_BTV, torch.zeros_like(scores_BTV))


@pytest.mark.parametrize("layers", [1, 2])
@cells
def test_it_has_as_many_parameters_as_its_spec_says(cell: str, layers: int) -> None:
    model = network(cell, layers)
    assert sum(each.numel() for each in model.parameters()) == model.spec.parameters(0, V)


def test_the_sizes_of_the_cells_are_pinned() -> None:
    sizes = {cell: RNNSpec.of({"cell": cell}).parameters(0, 65) for cell in CELLS}
    assert sizes == {"rnn": 103_041, "lstm": 349_569, "gru": 268_161}


@cells
def test_each_cell_is_torchs_forward_and_backward(cell: str) -> None:
    ours, theirs = layer(cell), TORCHS[cell](INPUTS, H)
    second = ours.memory.bias if ours.memory_bias else torch.zeros(len(ours.gates) * H)
    theirs.load_state_dict(
        {
            "weight_ih_l0": ours.input.weight, "weight_hh_l0": ours.memory.weight,
            "bias_ih_l0": ours.input.bias, "bias_hh_l0": second,
        }
    )  # fmt: skip
    x_TBI, state = inputs(ours.states)
    x_TBI.requires_grad_()
    h_TBH, after = ours(x_TBI, state)
    h_TBH.square().sum().backward()
    ours_x, x_TBI.grad = x_TBI.grad, None
    before = tuple(each[None] for each in state)
    expected_TBH, expected = theirs(x_TBI, before if ours.states > 1 else before[0])
    expected_TBH.square().sum().backward()
    torch.testing.assert_close(h_TBH, expected_TBH, rtol=1e-5, atol=1e-5)
    for mine, yours in zip(after, expected if ours.states > 1 else (expected,), strict=True):
        torch.testing.assert_close(mine, yours[0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(ours_x, x_TBI.grad, rtol=1e-5, atol=1e-5)
    names = {"input.weight": "weight_ih_l0", "memory.weight": "weight_hh_l0", "input.bias": "bias_ih_l0",
             "memory.bias": "bias_hh_l0"}  # fmt: skip
    for name, parameter in ours.named_parameters():
        torch.testing.assert_close(parameter.grad, getattr(theirs, names[name]).grad, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layers", [1, 2])
@cells
def test_torchs_kernel_gives_what_the_written_cells_give(cell: str, layers: int) -> None:
    written, fused = (network(cell, layers, kernel=kernel) for kernel in ("written", "fused"))
    fused.load_state_dict(written.state_dict())
    found = []
    for model in (written.train(), fused.train()):
        scores_BTV, state_LSBH = model(tokens(), model.blank(B))
        (scores_BTV.square().mean() + state_LSBH.square().mean()).backward()
        found.append((scores_BTV, state_LSBH, *(each.grad for each in model.parameters())))
    for mine, yours in zip(*found, strict=True):
        torch.testing.assert_close(mine, yours, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kernel", ["written", "fused"])
@cells
def test_read_in_pieces_it_gives_what_it_gives_at_once(cell: str, kernel: str) -> None:
    model = network(cell, kernel=kernel)
    whole_BTV, end_LSBH = model(tokens(), model.blank(B))
    state_LSBH, parts = model.blank(B), []
    for piece_BT in tokens().split([1, 5, 4, 2], dim=1):
        part_BTV, state_LSBH = model(piece_BT, state_LSBH)
        parts.append(part_BTV)
    torch.testing.assert_close(torch.cat(parts, dim=1), whole_BTV, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(state_LSBH, end_LSBH, rtol=1e-5, atol=1e-5)


@cells
def test_later_tokens_change_no_earlier_score(cell: str) -> None:
    model, changed = network(cell), tokens()
    changed[:, 6:] = (changed[:, 6:] + 1) % V
    before_BTV, _ = model(tokens(), model.blank(B))
    after_BTV, _ = model(changed, model.blank(B))
    torch.testing.assert_close(after_BTV[:, :6], before_BTV[:, :6])
    assert not torch.allclose(after_BTV[:, 6:], before_BTV[:, 6:])


@cells
def test_streams_do_not_see_one_another(cell: str) -> None:
    model = network(cell)
    together_BTV, _ = model(tokens(), model.blank(B))
    for row in range(B):
        alone_BTV, _ = model(tokens()[row : row + 1], model.blank(1))
        torch.testing.assert_close(alone_BTV[0], together_BTV[row], rtol=1e-5, atol=1e-5)


def test_an_lstm_with_its_forget_gate_open_and_its_input_gate_shut_carries_its_cell() -> None:
    ours = layer("lstm")
    with torch.no_grad():
        for gate, bias_H in zip(ours.gates, ours.input.bias.chunk(4), strict=True):
            bias_H.fill_({"forget gate": 1e3, "input gate": -1e3}.get(gate, 0.0))
    x_TBI, state = inputs(2)
    _, (_, c_BH) = ours(x_TBI, state)
    assert torch.equal(c_BH, state[1])


def test_a_gru_with_its_update_gate_open_keeps_its_state() -> None:
    ours = layer("gru")
    with torch.no_grad():
        ours.input.bias.chunk(3)[1].fill_(1e3)
    x_TBI, state = inputs(1)
    _, (h_BH,) = ours(x_TBI, state)
    torch.testing.assert_close(h_BH, state[0])


def reach(cell: str, forget_bias: float = 1.0) -> float:
    """The share of the last step's gradient that arrives 40 steps before, at the start."""
    torch.manual_seed(0)
    model = RecurrentNetwork(RNNSpec.of({"cell": cell, "width": 64, "forget_bias": forget_bias}), V)
    (ours,) = model.recurrent
    x_TBI = model.embedding(torch.randint(V, (40, 8)))
    state = tuple(torch.zeros(8, 64, requires_grad=True) for _ in range(ours.states))
    states = list(ours.unroll(x_TBI, state))
    gradients = torch.autograd.grad(states[-1][0].sum(), [*states[0], *states[-1][:1]])
    return math.sqrt(sum(float(each.square().sum()) for each in gradients[:-1])) / float(gradients[-1].norm())


def test_open_forget_gates_bring_the_gradient_further_back() -> None:
    assert reach("lstm", 3.0) > 2 * reach("lstm", 1.0) > 4 * reach("lstm", -1.0)
    assert reach("lstm", 3.0) > 3 * reach("rnn")


def test_the_first_cells_are_as_the_knobs_say() -> None:
    lstm = RecurrentNetwork(RNNSpec.of({"forget_bias": 2.5}), V).recurrent[0]
    assert isinstance(lstm, LSTM)
    biases = [bias_H.mean().item() for bias_H in lstm.input.bias.chunk(4)]
    assert biases == [0.0, 2.5, 0.0, 0.0]
    gru = RecurrentNetwork(RNNSpec.of({"cell": "gru", "forget_bias": 2.5}), V).recurrent[0]
    assert [bias_H.mean().item() for bias_H in gru.input.bias.chunk(3)] == [0.0, 2.5, 0.0]
    for weight_HH in lstm.memory.weight.chunk(4):
        torch.testing.assert_close(weight_HH @ weight_HH.T, torch.eye(256), rtol=0, atol=1e-4)


@cells
def test_it_writes_what_repeated_readings_of_the_whole_text_would(cell: str) -> None:
    model = network(cell, kernel="fused")
    text_BT = tokens(4)
    writing = model.write(text_BT, temperature=0.0)
    for _ in range(20):
        scores_BTV, _ = model(text_BT, model.blank(B))
        text_BT = torch.cat([text_BT, next(writing)], dim=1)
        assert torch.equal(text_BT[:, -1], scores_BTV[:, -1].argmax(-1))


def test_dropout_acts_in_training_alone() -> None:
    model = network("lstm", dropout=0.5)
    once, again = (model(tokens(), model.blank(B))[0] for _ in range(2))
    assert torch.equal(once, again)
    model.train()
    assert not torch.equal(once, model(tokens(), model.blank(B))[0])


@pytest.mark.parametrize(("knob", "value"), [("cell", "lsmt"), ("layers", 0), ("dropout", 1.0), ("kernel", "cudnn")])
def test_a_knob_out_of_its_range_is_refused(knob: str, value: object) -> None:
    with pytest.raises(UsageError, match=knob):
        RNNSpec.of({knob: value})  # type: ignore[dict-item]
