"""Networks ranked on images from the command line and in the report; nothing undefined is shown as a number."""

import json
from dataclasses import replace

import pytest

from transferlab.data import ImageSet, SealedTest, load_task
from transferlab.reports import source_scores
from transferlab.transfer import RankedSource, Ranking

NAMES = ["zoo-early", "zoo-untrained"]


def ranking_of(*sources):
    return Ranking("pets", tuple(sources), "linear probe", 40, 2)


GOOD = RankedSource("<b>good</b>", 1000, 0.4, {"linear probe": 0.9, "kNN": 0.8, "LEEP": -0.2}, {}, 0.1)
FREE = RankedSource(
    "free", 10, None, {"linear probe": 0.6, "kNN": 0.7, "LEEP": None}, {"LEEP": "it has no classes"}, 0.1
)


def test_lines_are_aligned_and_undefined_scores_have_their_reason():
    lines = source_scores.table_lines(ranking_of(GOOD, FREE), "pets")
    assert lines[0].startswith("pets: 40 labelled images of 2 classes, none of the test")
    heads, first, second = lines[2:5]
    assert len(first) == len(heads) == len(second)
    assert "90.0%" in first and "40.0%" in first and " – " in second
    assert lines[-1] == "– LEEP of free: it has no classes"
    assert "nan" not in " ".join(lines).lower() and "None" not in " ".join(lines)


def test_the_page_escapes_names_and_says_where_the_own_networks_stand():
    page = source_scores.ranking_html(ranking_of(GOOD, FREE), ["free"])
    assert "<b>good</b>" not in page and "&lt;b&gt;good&lt;/b&gt;" in page
    assert "<strong>free</strong> is number 2" in page and "--backbone" in page
    assert "--backbone" not in source_scores.ranking_html(ranking_of(FREE, GOOD), ["free"])


def test_the_figure_names_the_first_with_its_interval():
    card = source_scores.ranking_figure(ranking_of(GOOD, FREE))
    assert card.finding.startswith(
        "<b>good</b> ranks first of 2 sources before training: 90 % by linear probe (95 %"
    )
    assert "n = 40" in card.finding


def test_a_ranking_with_one_label_a_class_still_has_a_figure():
    lone = {"linear probe": None, "kNN": 0.7, "LEEP": None}
    rows = [replace(s, scores=lone, reasons={"linear probe": "too few"}) for s in (GOOD, FREE)]
    assert "by kNN" in source_scores.ranking_figure(ranking_of(*rows)).finding


def test_other_test_labels_leave_the_ranking_as_it_is(monkeypatch):
    monkeypatch.setattr(source_scores, "bundled_names", lambda: NAMES)
    task = load_task("faces")
    images = task.test.images
    flipped = SealedTest(
        ImageSet(images, 1 - task.test.score({"m": Half()}).truth, task.classes), printing=False
    )
    one = source_scores.rank_for_report(task, ["zoo-early"])
    two = source_scores.rank_for_report(replace(task, test=flipped), ["zoo-early"])
    assert [s.scores for s in one.sources] == [s.scores for s in two.sources]
    assert flipped.looks == 0


class Half:
    def predict_proba(self, images):
        import numpy as np

        return np.full((len(images), 2), 0.5)


def test_the_command_ranks_bundled_images(tmp_path, run):
    done = run("models", "score", "faces", "--labels-per-class", "4", "--backbone", "pixels", cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.strip().splitlines()
    assert lines[0].startswith("faces: 8 labelled images of 2 classes")
    named = {line.split()[0] for line in lines[3:] if line and not line.startswith("–")}
    assert {"pixels", "tiny", "zoo-letters"} <= named and len(named) >= 15
    assert "nan" not in done.stdout.lower() and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no-such-folder"], "neither a bundled set"),
        (["faces", "--backbone", "nonsense"], "no backbone 'nonsense'"),
        (["faces", "--labels-per-class", "5000"], "labels"),
        (["torchvision/Flowers102", "--mirror", "."], "digits"),
    ],
)
def test_mistakes_end_in_one_sentence(tmp_path, run, arguments, says):
    done = run("models", "score", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert says in done.stderr.strip().splitlines()[-1]


def test_the_report_ranks_sources_on_labels_outside_the_test(bundled_report):
    content = json.loads((bundled_report / "results.json").read_text(encoding="utf-8"))
    ranked = content["source_ranking"]
    names = [s["name"] for s in ranked["sources"]]
    assert "tiny" in names and len(names) == len(set(names)) >= 14
    assert ranked["n"] <= 500 and content["test_looks"] == 1
    probe = [s["scores"]["linear probe"] for s in ranked["sources"]]
    assert probe == sorted(probe, reverse=True)
    assert next(s for s in ranked["sources"] if s["name"] == "tiny-ssl")["scores"]["LEEP"] is None
    page = (bundled_report / "report.html").read_text(encoding="utf-8")
    assert page.index("Which source?") < page.index("The recommendation")
