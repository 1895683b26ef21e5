"""What the default instance's network is made for: 7 classes of 64 x 64 colour images, drawn or from folders.

The network is ResNet-18, as the paper trains it on HAM10000.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydantic import Field

from epsl_opt.backends.datasets import ham10000, image_folder, synthetic
from epsl_opt.backends.datasets.dataset import Dataset
from epsl_opt.backends.datasets.lesions import has_metadata
from epsl_opt.backends.datasets.task import SplitOptions, Task, folder

SIZE, CHANNELS, CLASSES = 64, 3, 7


class PaperOptions(SplitOptions):
    """How much to draw, or where the images are."""

    root: Path | None = Field(
        default=None,
        description="folder of images to take instead of drawing some: that of HAM10000, or one with a folder a class",
    )
    samples: int = Field(default=1400, ge=2 * CLASSES, le=40_000, description="to draw, for training and testing")
    difficulty: float = Field(
        default=0.02,  # noise of each of the 12288 numbers, as strong as that of 64 numbers is at 0.3
        ge=0,
        le=10,
        description="of the drawn ones, as that of `synthetic`; it takes less of it where images are large",
    )


def load(options: PaperOptions, seed: int) -> Dataset:
    """Draw images as `synthetic` does, or read them as `ham10000` or `images` does, all 3 x 64 x 64.

    Raises
    ------
    InputError
        If a folder is given that holds neither.
    """
    if options.root is None:
        return _drawn(options, seed)
    split = {"test_fraction": options.test_fraction, "seed": options.seed}
    root = folder(options.root, "paper")
    if has_metadata(root):
        source = ham10000.HamSource.IMAGES
        return ham10000.load(ham10000.HamOptions(root=root, source=source, size=SIZE, grey=False, **split), seed)
    return image_folder.load(image_folder.ImageOptions(root=root, size=SIZE, **split), seed)


def _drawn(options: PaperOptions, seed: int) -> Dataset:
    asked = synthetic.SyntheticOptions(
        classes=CLASSES,
        samples=options.samples,
        size=SIZE,
        channels=CHANNELS,
        difficulty=options.difficulty,
        test_fraction=options.test_fraction,
        seed=options.seed,
    )
    return replace(synthetic.load(asked, seed), name="paper (synthetic)")


PAPER = Task(
    "paper",
    "64x64 colour images in 7 classes for ResNet-18, the network of the default instance; drawn, or from a folder",
    PaperOptions,
    load,
    network="resnet18",
)
