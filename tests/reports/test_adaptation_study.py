"""The choice sees no target label, the seal is opened once, and any method is saved as the network that it is."""

from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from transferlab.adaptation import DEFAULT_VALIDATOR, METHODS, TCA, OnFeatures
from transferlab.adaptation.study import SeedRun
from transferlab.errors import UserError
from transferlab.reports import adaptation_figures as figures
from transferlab.reports import adaptation_results as results
from transferlab.reports import adaptation_text as text
from transferlab.reports.adaptation_domains import load_domains
from transferlab.reports.adaptation_look import disagreements, embedded
from transferlab.reports.adaptation_model import as_network
from transferlab.reports.adaptation_profiles import ADAPTATION_PROFILES, get_adaptation_profile
from transferlab.reports.adaptation_study import choose, make_adaptation_plan, open_target, run_adaptation
from transferlab.training.inputs import reduced
from transferlab.transfer import load_model, save_model

FOLDED = ["KMM", "subspace alignment", "CORAL", "TCA", "JDA", "optimal transport"]


@pytest.fixture(scope="module")
def domains():
    data = load_domains("printed-digits", "digits", most=80, progress=False)
    held = data.source_held[np.random.default_rng(0).permutation(len(data.source_held))[:60]]
    return replace(data, source_held=held)


@pytest.fixture(scope="module")
def planned(domains):
    return make_adaptation_plan(domains, profile="smoke", methods=[*FOLDED, "AdaBN"], seeds=1, device="cpu")


@pytest.fixture(scope="module")
def fits(planned):
    return run_adaptation(planned)


@pytest.fixture(scope="module")
def found(planned, fits):
    return embedded(planned, replace(fits, choice=replace(fits.choice, method="CORAL")))


def test_the_choice_is_made_before_the_seal_is_opened_and_labels_change_nothing(planned, fits):
    assert planned.pair.test.looks == 0
    again = choose(list(fits.runs))
    opened = open_target(planned, fits)
    assert planned.pair.test.looks == 1
    assert again == fits.choice
    assert set(opened["methods"]) == set(planned.methods)


@pytest.mark.parametrize("name", ["source-only", "AdaBN", *FOLDED])
def test_every_method_is_saved_as_the_network_that_answers_for_the_target(planned, fits, name, tmp_path):
    data = planned.domains
    model = fits.models[name]
    saved = as_network(model, classes=data.classes, image_size=data.resolution, target=data.target.images)
    read = load_model(save_model(saved, tmp_path))
    assert (read.classes, read.image_size) == (data.classes, 8)
    answers = read.predict_proba(reduced(data.target.images, data.resolution), "cpu")
    np.testing.assert_allclose(answers, model.predict_proba(data.target), atol=2e-3)


def test_adapted_statistics_are_those_that_are_saved(planned, fits):
    data = planned.domains
    both = [
        as_network(fits.models[n], classes=data.classes, image_size=8, target=data.target.images)
        for n in ("source-only", "AdaBN")
    ]
    images = reduced(data.target.images, 8)
    assert np.abs(both[0].predict_proba(images, "cpu") - both[1].predict_proba(images, "cpu")).max() > 0.01


def test_a_kernel_that_is_not_linear_is_refused_and_not_saved_wrongly(planned, fits):
    pair = planned.pair
    model = OnFeatures(pair.backbone, method=TCA(kernel="rbf", n_components=5), **pair.settings)
    model.fit(fits.train, None, pair.target, start=fits.baseline)
    with pytest.raises(UserError, match="TCA with these settings is no linear layer"):
        as_network(model, classes=planned.domains.classes, image_size=8, target=pair.target.images)


def test_content_follows_the_schema_with_and_without_labels(planned, fits, found):
    look = disagreements(planned, fits)
    opened = open_target(planned, fits)
    content = results.adaptation_results(planned, fits, opened, look, found)
    jsonschema.validate(content, results.adaptation_schema())
    best = max(r["oracle_accuracy"] for r in content["results"])
    assert content["oracle_accuracy"] == best >= content["recommendation"]["oracle_accuracy"]
    without = replace(planned, domains=replace(planned.domains, test=None))
    content = results.adaptation_results(without, fits, None, look, found)
    jsonschema.validate(content, results.adaptation_schema())
    assert content["oracle_accuracy"] is content["recommendation"]["oracle_accuracy"] is None
    assert {r["oracle_accuracy"] for r in content["results"]} == {None}
    for key, value in (("kind", "transfer"), ("validator", None), ("oracle_accuracy", 64.0)):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(content | {key: value}, results.adaptation_schema())


def test_what_labels_say_of_the_choice_is_paired_and_a_gain_that_is_not_shown_is_warned_of(planned, fits):
    opened = open_target(planned, fits)
    shown = opened["methods"]["CORAL"]["gain"]
    shown |= {
        "difference": 0.2,
        "low": 0.1,
        "high": 0.3,
    }  # one that is shown, whatever the small sample gives
    for name, row in opened["methods"].items():
        said = text.opened_text(replace(fits, choice=replace(fits.choice, method=name)), opened)
        if row["gain"] is None:
            assert "source-only none" in said and "warning" not in said
            continue
        low, high = (100 * row["gain"][end] for end in ("low", "high"))
        assert (
            f"{name} {100 * row['gain']['difference']:+.1f} (95 % interval {low:+.1f} to {high:+.1f})" in said
        )
        assert ('class="warning"' in said) == (low <= 0)
    best = max(opened["methods"], key=lambda n: opened["methods"][n]["estimate"])
    assert "is the best on these" in text.opened_text(
        replace(fits, choice=replace(fits.choice, method=best)), opened
    )
    assert "no labels" in text.opened_text(fits, None)


def test_figures_say_what_they_rest_on(planned, fits, found):
    opened = open_target(planned, fits)
    cards = [
        *figures.domain_pictures(planned),
        figures.scores_card(planned, fits),
        figures.opened_card(planned, fits, opened),
        figures.embeddings_card(planned, found),
        figures.disagreement_card(planned, fits, disagreements(planned, fits)),
    ]
    assert all("n = " in card.finding for card in cards[2:])
    assert all(card.png()[1:4] == b"PNG" for card in cards)


def test_disagreements_are_where_answers_differ_and_the_surest_stand_first(planned, fits):
    chosen = replace(fits.choice, method="AdaBN")
    found = disagreements(planned, replace(fits, choice=chosen))
    a, b = (fits.models[n].predict(planned.pair.target) for n in ("AdaBN", "source-only"))
    assert set(found.index) == set(np.flatnonzero(a != b))
    assert (np.diff(found.confidence) <= 0).all()
    assert found.share == pytest.approx((a != b).mean())


def test_domains_are_told_apart_less_once_covariances_agree(found):
    assert list(found) == ["source-only", "CORAL"]
    assert found["CORAL"].told_apart < found["source-only"].told_apart
    assert len(found["CORAL"].plane.source) == found["CORAL"].n_source == 60


def scored(*pairs):
    return [
        SeedRun(i, {}, {DEFAULT_VALIDATOR: {"source-only": base, "SHOT": shot}}, {}, {})
        for i, (base, shot) in enumerate(pairs)
    ]


@pytest.mark.parametrize(
    ("pairs", "method", "says"),
    [
        ([(1.0, 2.0), (1.0, 2.0)], "SHOT", []),
        ([(2.0, 1.0), (2.0, 1.5)], "source-only", ["Nothing helps here"]),
        ([(1.0, 1.0)], "source-only", ["Nothing helps here"]),
        (
            [(1.0, 3.0), (2.0, 1.9)],
            "SHOT",
            ["not sure that adaptation helps: SHOT scores above the source-only model in 1 of 2"],
        ),
    ],
)
def test_a_warning_where_nothing_helps(fits, pairs, method, says):
    choice = choose(scored(*pairs))
    assert choice.method == method
    said = text.warnings(replace(fits, choice=choice, diagnosis="no diagnosis"))
    assert len(said) == len(says) and all(a in b for a, b in zip(says, said, strict=True))


def test_a_warning_where_proportions_changed_or_no_shift_was_seen(fits):
    choice = choose(scored((1.0, 2.0)))
    found = replace(fits.diagnosis, detected=False, proportions_changed=True)
    said = " ".join(text.warnings(replace(fits, choice=choice, diagnosis=found)))
    assert "nothing to repair" in said and "proportions seem to have changed" in said
    found = replace(fits.diagnosis, detected=True, proportions_changed=False)
    assert not text.warnings(replace(fits, choice=choice, diagnosis=found))


def test_profiles_name_known_methods_and_the_schema_knows_all_of_them():
    items = results.adaptation_schema()["properties"]["results"]["items"]
    assert items["properties"]["method"]["enum"] == list(METHODS)
    for profile in ADAPTATION_PROFILES.values():
        assert profile.methods[0] == "source-only" and set(profile.methods) <= set(METHODS)
    with pytest.raises(UserError, match="profile 'fast' is not known"):
        get_adaptation_profile("fast")


def test_unknown_methods_are_refused(domains):
    with pytest.raises(UserError, match="there is no method 'magic'"):
        make_adaptation_plan(domains, methods=["magic"])


def test_names_are_escaped(domains):
    hostile = replace(domains, source_name="<script>hack()</script>", target_name="<img src=x>")
    page = text.summary(hostile) + text.audits(replace(hostile, target_audit={"read": 3}))
    assert "<script" not in page and "<img" not in page and "&lt;script&gt;" in page
