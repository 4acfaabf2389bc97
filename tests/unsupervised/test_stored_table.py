"""The table of what features without labels are worth: stored, shown, and of the origins that stand here."""

from benchmarks import unsupervised_accuracy as accuracy
from transferlab.course.marked_table import with_table
from transferlab.data.bundled import load_bundled
from transferlab.unsupervised import LABELS_UPSTREAM, side_by_side


def test_the_readme_shows_what_is_stored():
    page = (accuracy.ROOT / "README.md").read_text(encoding="utf-8")
    assert with_table(page, accuracy.TABLE, accuracy.table(accuracy.stored_results())) == page


def test_what_is_stored_is_of_the_sets_and_origins_that_stand_here():
    stored = accuracy.stored_results()
    assert {name: each["clusters"] for name, each in stored.items()} == accuracy.SETS
    for name, each in stored.items():
        images = load_bundled(name).development
        assert each["n"] == len(images) and each["seeds"] == accuracy.SEEDS
        assert list(each["rows"]) == list(accuracy.origins(images))
        assert [n for n, row in each["rows"].items() if row["note"]] == ["tiny"]


def test_every_learner_is_trained_anew_on_the_set_and_the_table_says_what_was_found(monkeypatch):
    few = load_bundled("materials").development[::12]
    made = {"pixels": "pixels", "tiny": "tiny"}
    made["rotation"] = accuracy.learnt(
        accuracy.LEARNERS["rotation"], "scratch", few.without_labels(), epochs=1
    )
    found = side_by_side(few, 12, features=made, seeds=3, draws=50)
    stored = accuracy.stored(found)
    assert (
        stored["rows"]["tiny"]["note"] == LABELS_UPSTREAM and stored["rows"]["pixels"]["less_pixels"] is None
    )
    assert stored["rows"]["rotation"]["ari"][0] == found["rotation"].ari.estimate
    text = accuracy.table({"materials": stored | {"date": "2026-01-02"}})
    estimate, low, high = stored["rows"]["tiny"]["ari"]
    assert f"| tiny ({LABELS_UPSTREAM}) | {estimate:.2f} ({low:.2f}–{high:.2f})" in text
    assert "n = 48, 12 clusters; mean of 3 seeds" in text


def test_a_set_that_there_is_not_is_named(capsys):
    assert accuracy.main(["gravel"]) == 2
    assert "there is no set 'gravel'; choose from materials, digits." in capsys.readouterr().err
