"""Model profiles agree with published figures, with their own convention and with the files that are shipped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from epsl_opt import InputError
from epsl_opt.core.instance import ModelProfile
from epsl_opt.core.json_text import format_json
from epsl_opt.problems import architectures, model_profiles
from epsl_opt.problems.network_costs import Cost, convolution, linear

NAMES = ["lenet5-28", "mobilenetv2-224", "resnet18-224", "resnet18-64", "transformer-encoder", "vgg16-224"]
every_profile = pytest.mark.parametrize("profile", [model_profiles.load(name) for name in NAMES], ids=NAMES)


def test_all_shipped_profiles_are_known() -> None:
    """Neither is a shipped network missing here, nor one tested that is not shipped."""
    assert model_profiles.names() == NAMES


@pytest.mark.parametrize(
    ("name", "multiply_adds", "parameters"),
    [
        ("resnet18-224", 1.814e9, 11_689_512),
        ("vgg16-224", 15.47e9, 138_357_544),
        ("mobilenetv2-224", 0.3008e9, 3_504_872),
        ("lenet5-28", 416_520, 61_706),
    ],
)
def test_totals_are_the_published_ones(name: str, multiply_adds: float, parameters: int) -> None:
    """Multiply-adds (half the FLOPs) and parameters (32 bits each) match what is published for these networks."""
    profile = model_profiles.load(name)
    assert profile.total_forward_flops / 2 == pytest.approx(multiply_adds, rel=5e-4)
    assert profile.total_parameter_bits == 32 * parameters


def test_a_smaller_image_changes_no_convolution_weights() -> None:
    """ResNet-18's convolutions at 64 x 64 cost (64/224)^2 of those at 224 x 224 and have the same weights."""
    small, large = model_profiles.load("resnet18-64"), model_profiles.load("resnet18-224")
    convolutions = [p.cut_layers[-1].client_forward_flops for p in (small, large)]
    assert convolutions[0] == pytest.approx(convolutions[1] * (64 / 224) ** 2)
    assert small.cut_layers[-1].client_parameter_bits == large.cut_layers[-1].client_parameter_bits
    assert [cut.name for cut in small.cut_layers] == [cut.name for cut in large.cut_layers]


def test_transformer_follows_the_textbook_formula() -> None:
    """A block of width d, feed-forward 4d and s tokens has 12 d^2 + 13 d parameters and 24 s d^2 + 4 s^2 d FLOPs."""
    profile = model_profiles.load("transformer-encoder")
    d, s, blocks, vocabulary, classes = 256, 128, 4, 10_000, 4
    parameters = blocks * (12 * d**2 + 13 * d) + (vocabulary + s) * d + d * classes + classes
    assert profile.total_parameter_bits == 32 * parameters
    assert profile.total_forward_flops == blocks * (24 * s * d**2 + 4 * s**2 * d) + 2 * d * classes
    assert profile.total_backward_flops == 2 * profile.total_forward_flops


@every_profile
def test_client_side_costs_grow_with_the_cut(profile: ModelProfile) -> None:
    """A later cut never lessens the client's computing or its model, and sends something that fits whole numbers."""
    for field in ("client_forward_flops", "client_backward_flops", "client_parameter_bits"):
        values = [getattr(cut, field) for cut in profile.cut_layers]
        assert values == sorted(values), field
    for cut in profile.cut_layers:
        assert cut.activation_bits == cut.gradient_bits
        assert cut.activation_bits > 0
        assert cut.activation_bits % 32 == 0
    assert len({cut.name for cut in profile.cut_layers}) == len(profile.cut_layers)


@every_profile
def test_the_server_keeps_one_linear_layer_at_the_last_cut(profile: ModelProfile) -> None:
    """What the last cut leaves costs the last layer's forward pass, and twice that backward."""
    last = profile.cut_layers[-1]
    left = profile.total_forward_flops - last.client_forward_flops
    features = last.activation_bits / 32
    assert profile.last_layer_backward_flops == 2 * left
    assert profile.total_backward_flops - last.client_backward_flops == profile.last_layer_backward_flops
    outputs = left / (2 * features)
    assert profile.total_parameter_bits - last.client_parameter_bits == 32 * outputs * (features + 1)


@every_profile
def test_backward_is_twice_forward_but_where_data_enters(profile: ModelProfile) -> None:
    """The server always passes gradients on, so its part costs twice its forward pass; the client saves one."""
    for cut in profile.cut_layers:
        forward = profile.total_forward_flops - cut.client_forward_flops
        assert profile.total_backward_flops - cut.client_backward_flops == 2 * forward
    first = profile.cut_layers[0]
    assert first.client_backward_flops == first.client_forward_flops


def test_shipped_files_are_what_the_script_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting the networks anew gives the committed files to the byte."""
    monkeypatch.setattr(architectures, "FOLDER", tmp_path)
    architectures.write_profiles()
    assert sorted(path.stem for path in tmp_path.iterdir()) == NAMES
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (model_profiles.FOLDER / path.name).read_bytes()


@given(
    st.tuples(st.integers(1, 3), st.integers(5, 12), st.integers(5, 12)),
    st.integers(1, 4),
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(0, 2),
)
def test_a_convolution_costs_what_its_loops_do(
    given_shape: tuple[int, int, int], channels: int, kernel: int, stride: int, padding: int
) -> None:
    """Output shape, multiply-adds and parameters are those of the plain nested loops of a convolution."""
    depth, height, width = given_shape
    rows, columns = (range(-padding, side + padding - kernel + 1, stride) for side in (height, width))
    counted = sum(depth * kernel * kernel for _ in range(channels) for _ in rows for _ in columns)
    cost = convolution(given_shape, channels, kernel, stride=stride, padding=padding)
    assert cost == Cost((channels, len(rows), len(columns)), counted, 2 * counted, channels * (depth * kernel**2 + 1))


def test_depthwise_and_first_layers() -> None:
    """Groups divide the cost, a first layer's backward pass is half as dear, normalisation has two vectors."""
    whole = convolution((8, 6, 6), 8, 3)
    assert convolution((8, 6, 6), 8, 3, groups=8).forward * 8 == whole.forward
    assert convolution((8, 6, 6), 8, 3, reads_data=True).backward * 2 == whole.backward
    assert convolution((8, 6, 6), 8, 3, normalised=True).parameters == whole.parameters + 8
    assert linear((7, 5), 3) == Cost((7, 3), 105, 210, 18)


def test_own_profiles_are_read_from_files(tmp_path: Path) -> None:
    """A profile of one's own, in the format of the shipped ones, can take their place."""
    own = model_profiles.load("lenet5-28").model_copy(update={"name": "mine"})
    path = tmp_path / "mine.json"
    path.write_text(format_json(own.to_document()), encoding="utf-8")
    assert model_profiles.load(str(path)) == own


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"total_forward_flops": -1}, "total_forward_flops: input should be greater than 0"),
        ({"layers": 3}, "layers: unknown field"),
        ({"cut_layers": []}, "cut_layers:"),
        ({"total_parameter_bits": 1.0}, "client_parameter_bits: exceeds total_parameter_bits"),
    ],
)
def test_wrong_profiles_are_named(tmp_path: Path, change: dict[str, object], words: str) -> None:
    """A wrong profile is one line with file and field."""
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(model_profiles.load("lenet5-28").to_document() | change), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        model_profiles.load(str(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)


def test_unknown_profiles_have_near_matches() -> None:
    """A name with a slip lists what it may have meant."""
    with pytest.raises(InputError, match=r"unknown name 'vgg16'; did you mean vgg16-224"):
        model_profiles.load("vgg16")
