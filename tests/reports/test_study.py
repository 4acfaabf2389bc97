"""The study behind the report: the recommendation cannot know the test."""

from dataclasses import replace

import numpy as np
import pytest

from transferlab.data import ImageSet, SealedTest, load_task
from transferlab.evaluation import Fitted
from transferlab.reports import results_file
from transferlab.reports import transfer_study as study
from transferlab.reports.arms import make_arms, tuning_boundaries
from transferlab.reports.close_look import close_look
from transferlab.reports.profiles import PROFILES
from transferlab.reports.recommendation import recommend


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("TRANSFERLAB_CACHE", str(tmp_path / "cache"))


def planned(task):
    plan = study.make_plan(task, ["zoo-early"], profile="smoke", labels_per_class=[6], seeds=2)
    quick = {"pixels", "random_frozen", "feature_extraction"}
    return replace(plan, arms=[arm for arm in plan.arms if arm.method in quick])


def test_the_seal_is_opened_once_and_after_the_recommendation():
    task = load_task("faces")
    plan = planned(task)
    fits = study.run(plan)
    assert fits.recommendation.arm in plan.arms
    assert task.test.looks == 0
    opened = study.open_test(plan, fits)
    assert task.test.looks == 1
    look = close_look(plan, fits, opened)
    assert results_file.results(plan, fits, opened, look)["test_looks"] == 1


def test_other_test_labels_leave_the_recommendation_as_it_is():
    task = load_task("faces")
    images = task.test.images
    flipped = replace(
        task,
        test=SealedTest(ImageSet(images, np.arange(len(images)) % 2, task.classes), printing=False),
    )
    one, two = study.run(planned(task)), study.run(planned(flipped))
    assert one.recommendation.arm.name == two.recommendation.arm.name
    assert one.recommendation.reason == two.recommendation.reason


def test_progress_says_what_is_done_and_how_long_it_takes(capsys):
    study.run(planned(load_task("faces")))
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 7
    assert lines[0].startswith("6 fits, about ")
    assert lines[-1].split("%")[0].strip().isdigit()
    assert "6 labels a class" in lines[-1] and " left: " in lines[-1]


class Stub:
    """A fitted run of known validation accuracy."""

    def __init__(self, accuracy):
        self.val_accuracy, self.trainable_parameters = accuracy, 1


def fit_of(accuracies):
    runs = {name: (Stub(a),) for name, a in accuracies.items()}
    return Fitted(runs, (0,), 5, ("a", "b"), "digest")


@pytest.mark.parametrize(
    ("frozen", "full", "n", "expected"),
    [
        (0.80, 0.82, 50, "feature_extraction"),  # within one standard error: the cheaper one
        (0.60, 0.82, 50, "full_fine_tuning"),
        (0.80, 0.82, 100_000, "full_fine_tuning"),
        (1.00, 1.00, 10, "feature_extraction"),
        (0.20, 0.12, 30, "pixels"),
    ],
)
def test_the_cheaper_of_equals_is_recommended(frozen, full, n, expected):
    arms = make_arms(["zoo-early"], PROFILES["smoke"], None, "cpu")
    pixels = 0.9 if expected == "pixels" else max(frozen, full)  # a tie is no evidence for pixels
    known = {"feature_extraction": frozen, "full_fine_tuning": full, "pixels": pixels}
    accuracies = {arm.name: known.get(arm.method, 0.1) for arm in arms}
    found = recommend(arms, [fit_of(accuracies)], [n])
    assert found.arm.method == expected
    assert f"n = {n}" in found.reason


def test_without_validation_nothing_is_compared():
    arms = make_arms(["zoo-early"], PROFILES["smoke"], None, "cpu")
    found = recommend(arms, [fit_of({arm.name: None for arm in arms})], [0])
    assert found.arm.method == "feature_extraction"
    assert "no validation" in found.reason


def test_the_largest_budget_with_validation_decides():
    arms = make_arms(["zoo-early"], PROFILES["smoke"], None, "cpu")
    low, high = ({arm.name: v + 0.01 * i for i, arm in enumerate(arms)} for v in (0.5, 0.6))
    assert recommend(arms, [fit_of(low), fit_of(high)], [20, 20]).fitted == 1
    assert recommend(arms, [fit_of(low), fit_of({a.name: None for a in arms})], [20, 0]).fitted == 0


def test_tuning_goes_from_the_last_stage_down_and_passes_over_what_does_not_learn():
    from transferlab.backbones import load_backbone

    tiny = load_backbone("tiny")
    assert [tiny.stages[b].name for b in tuning_boundaries(tiny, 99)] == [
        "layer4",
        "layer3",
        "layer2",
        "layer1",
    ]
    assert len(tuning_boundaries(tiny, 2)) == 2
    squeezenet = load_backbone("torchvision/squeezenet1_0", pretrained=False)
    assert all(squeezenet.stages[b].parameters for b in tuning_boundaries(squeezenet, 99))


def test_every_arm_of_a_report_is_in_the_schema():
    methods = results_file.schema()["properties"]["results"]["items"]["properties"]["method"]["enum"]
    assert {arm.method for arm in make_arms(["zoo-early"], PROFILES["report"], None, "cpu")} == set(methods)
