"""What colour and file metadata give away is found, and nothing else is."""

import numpy as np
import pytest
from PIL import Image

from transferlab import load_task
from transferlab.data import ImageSet
from transferlab.data.decode import FILE_FACTS
from transferlab.errors import UserError
from transferlab.transfer import Shortcuts


def noise_folder(root, side, brightness):
    """Two classes of noise; only ``side`` (pixels) and ``brightness`` may tell them apart."""
    rng = np.random.default_rng(0)
    for c in range(2):
        (root / f"class{c}").mkdir(parents=True)
        for i in range(30):
            pixels = rng.integers(0, 150, (side[c], side[c], 3), np.uint8) + np.uint8(brightness[c])
            Image.fromarray(pixels).save(root / f"class{c}" / f"{i}.png")
    return load_task(str(root), image_size=16, progress=False).draw(None, 0)


def accuracy(task, facts):
    model = Shortcuts(facts, trees=100).fit(task.train)
    probabilities = model.predict_proba(task.test.image_set)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    return task.test.score({"shortcut": model}).metrics["shortcut"]["accuracy"]


@pytest.mark.parametrize(
    ("side", "brightness", "gives_away"),
    [((40, 60), (0, 0), "file"), ((40, 40), (0, 90), "colour")],
)
def test_each_shortcut_finds_what_it_looks_at(tmp_path, side, brightness, gives_away):
    task = noise_folder(tmp_path / "set", side, brightness)
    assert accuracy(task, gives_away) == 1.0


def test_no_shortcut_no_accuracy(tmp_path):
    task = noise_folder(tmp_path / "set", (40, 40), (0, 0))
    assert accuracy(task, "colour") < 0.85  # 18 test images of pure chance
    assert accuracy(task, "file") < 0.85


def test_facts_of_files_are_those_of_the_files(tmp_path):
    task = noise_folder(tmp_path / "set", (40, 60), (0, 0))
    facts = dict(zip(FILE_FACTS, task.train.file_facts.T, strict=True))
    sides = np.array([40, 60])[task.train.labels]
    np.testing.assert_array_equal(facts["width"], sides)
    np.testing.assert_array_equal(facts["height"], sides)
    sizes = [(tmp_path / "set" / p).stat().st_size for p in task.train.paths]
    np.testing.assert_array_equal(facts["bytes"], sizes)
    assert (facts["channels"] == 3).all()


def test_images_without_files_are_refused_in_one_sentence():
    images = ImageSet(np.zeros((4, 3, 8, 8), np.uint8), np.array([0, 1, 0, 1]), ("a", "b"))
    with pytest.raises(UserError, match="no file facts"):
        Shortcuts("file").fit(images)
    with pytest.raises(UserError, match="colour or file"):
        Shortcuts("smell").fit(images)
