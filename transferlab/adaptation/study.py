"""All methods on one pair of domains with one seed; no target label is seen here."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import numpy as np

from transferlab.adaptation.adversarial import CDAN, DANN
from transferlab.adaptation.coral import CORAL
from transferlab.adaptation.deep_base import DeepSourceOnly, ImageAdapter
from transferlab.adaptation.deep_joint import DAN, MCC, DeepCORAL
from transferlab.adaptation.density_ratio import DensityRatio
from transferlab.adaptation.diagnosis import Diagnosis, diagnose
from transferlab.adaptation.joint_components import JDA
from transferlab.adaptation.kernel_components import TCA
from transferlab.adaptation.kmm import KMM
from transferlab.adaptation.on_images import OnFeatures
from transferlab.adaptation.optimal_transport import OptimalTransport
from transferlab.adaptation.pseudo_labels import PseudoLabels
from transferlab.adaptation.selection import validator_scores
from transferlab.adaptation.shot import SHOT
from transferlab.adaptation.source_free import AdaBN
from transferlab.adaptation.subspace import SubspaceAlignment
from transferlab.adaptation.tent import TENT
from transferlab.data import ImageSet, SealedTest
from transferlab.data.splits import hold_out
from transferlab.errors import UserError

SOURCE_ONLY, SUPERVISED = "source-only", "supervised"
DEEP = {
    "AdaBN": AdaBN, "TENT": TENT, "pseudo-labels": PseudoLabels, "SHOT": SHOT,
    "DAN": DAN, "Deep CORAL": DeepCORAL, "DANN": DANN, "CDAN": CDAN, "MCC": MCC,
}  # fmt: skip
ON_FEATURES = {
    "density ratio": DensityRatio, "KMM": KMM, "subspace alignment": SubspaceAlignment, "CORAL": CORAL, "TCA": TCA,
    "JDA": JDA, "optimal transport": OptimalTransport,
}  # fmt: skip
#: Names of all methods of a study, the baseline first.
METHODS = (SOURCE_ONLY, *ON_FEATURES, *DEEP)


@dataclass(frozen=True, eq=False)
class DomainPair:
    """A labelled source, an unlabelled target, and a sealed test of the target.

    Parameters
    ----------
    name : of the pair
    source : labelled; ``groups`` stay on one side when a part of it is held out for validators
    source_held : labelled source images for the validators alone; a fifth of ``source`` when None
    target : unlabelled images to adapt to
    test : other images of the target, or None where it has no labels and cannot be summarized
    target_labelled : the same target images with their labels, for the supervised row alone; or None
    backbone, settings : of every method, see :class:`~transferlab.adaptation.deep_base.ImageAdapter`
    of_method : further settings of methods by name
    """

    name: str
    source: ImageSet
    target: ImageSet
    test: SealedTest | None
    backbone: object
    source_held: ImageSet | None = None
    target_labelled: ImageSet | None = None
    settings: Mapping = field(default_factory=dict)
    of_method: Mapping[str, Mapping] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class SeedRun:
    """One seed: probabilities (N, K) on the test, each validator's scores, seconds from the images to each fitted
    method (source training included), what the source-only
    network's features show of the shift (see :func:`~transferlab.adaptation.diagnosis.diagnose`)."""

    seed: int
    probabilities: Mapping[str, np.ndarray]
    scores: Mapping[str, Mapping[str, float]]
    seconds: Mapping[str, float]
    diagnosis: Mapping


@dataclass(frozen=True, eq=False)
class FittedMethods:
    """Methods fitted with one seed, the source as that seed split it, and seconds from images to fitted method."""

    seed: int
    models: Mapping[str, ImageAdapter]
    seconds: Mapping[str, float]
    train: ImageSet
    held: ImageSet


def candidates(pair: DomainPair, seed: int, names: Sequence[str] = METHODS) -> dict[str, ImageAdapter]:
    """Unfitted methods by name, all on one backbone and with one seed."""
    found: dict[str, ImageAdapter] = {}
    for name in names:
        settings = dict(pair.settings) | dict(pair.of_method.get(name, {})) | {"random_state": seed}
        if name == SOURCE_ONLY:
            found[name] = DeepSourceOnly(pair.backbone, **settings)
        elif name in DEEP:
            found[name] = DEEP[name](pair.backbone, **settings)
        else:
            method = ON_FEATURES[name]()
            if "random_state" in method.get_params():
                method.set_params(random_state=seed)
            found[name] = OnFeatures(pair.backbone, method=method, **settings)
    return found


def fit_methods(
    pair: DomainPair,
    seed: int,
    names: Sequence[str] = METHODS,
    *,
    done: Callable[[int, str], object] = lambda place, name: None,
) -> FittedMethods:
    """Fit every method once; nothing here sees a target label. The source is trained on once and shared.

    ``done`` is called after each method with how many are fitted, and its name.
    """
    train, held = source_halves(pair, seed)
    names = [SOURCE_ONLY, *(name for name in names if name != SOURCE_ONLY)]
    models: dict[str, ImageAdapter] = {}
    seconds = {}
    for place, (name, method) in enumerate(candidates(pair, seed, names).items(), start=1):
        clock = time.perf_counter()
        models[name] = method.fit(train, None, pair.target, start=models.get(SOURCE_ONLY))
        seconds[name] = time.perf_counter() - clock + seconds.get(SOURCE_ONLY, 0.0)
        done(place, name)
    return FittedMethods(seed, models, seconds, train, held)


def seed_run(pair: DomainPair, fitted: FittedMethods) -> SeedRun:
    """What fitted methods answer on unseen images, and what validators say of them: still no target label."""
    scores = validator_scores(
        fitted.models,
        X_target=pair.target,
        X_source_valid=fitted.held.without_labels(),
        y_source_valid=fitted.held.labels,
        X_source_train=fitted.train.without_labels(),
    )
    unseen = pair.target if pair.test is None else pair.test.image_set
    probabilities = {name: model.predict_proba(unseen) for name, model in fitted.models.items()}
    return SeedRun(fitted.seed, probabilities, scores, dict(fitted.seconds), _told(diagnosed(pair, fitted)))


def run_seed(
    pair: DomainPair,
    seed: int,
    names: Sequence[str] = METHODS,
    *,
    supervised: bool = True,
    tell: Callable[[str], object] = lambda line: None,
) -> SeedRun:
    """One seed of all methods, and of a network trained on the target's labels beside them, for the row so called."""
    fitted = fit_methods(
        pair, seed, names, done=lambda place, name: tell(f"{pair.name}, seed {seed}: {name}")
    )
    run = seed_run(pair, fitted)
    if not supervised or pair.target_labelled is None:
        return run
    rival = candidates(pair, seed, [SOURCE_ONLY])[SOURCE_ONLY]
    clock = time.perf_counter()
    rival.fit(pair.target_labelled)
    seconds = time.perf_counter() - clock
    unseen = pair.target if pair.test is None else pair.test.image_set
    return replace(
        run,
        probabilities={**run.probabilities, SUPERVISED: rival.predict_proba(unseen)},
        seconds={**run.seconds, SUPERVISED: seconds},
    )


def source_halves(pair: DomainPair, seed: int, share: float = 0.2) -> tuple[ImageSet, ImageSet]:
    """Training and held-out images of the source; where ``share`` is held out, whole groups together."""
    source = pair.source
    if pair.source_held is not None:
        return source, pair.source_held
    rng = np.random.default_rng([seed, 4_711])
    held = hold_out(source.labels, source.groups, len(source.classes), share, rng)
    return source[~held], source[held]


def diagnosed(pair: DomainPair, fitted: FittedMethods) -> Diagnosis | str:
    """What the source-only network's features show of the shift, or a sentence on why they show nothing."""
    model, held = fitted.models[SOURCE_ONLY], fitted.held
    try:
        return diagnose(
            model.transform(held, "source"),
            model.transform(pair.target, "source"),
            y_source=np.asarray(held.classes)[held.labels],
            source_probabilities=model.predict_proba(held, "source"),
            target_probabilities=model.predict_proba(pair.target, "source"),
            classes=held.classes,
            seed=fitted.seed,
        )
    except UserError as refused:
        return f"The shift could not be examined: {refused}"


def _told(found: Diagnosis | str) -> dict:
    if isinstance(found, str):
        return {"text": found}
    return {
        "detected": found.detected,
        "a_distance": asdict(found.distance.a_distance),
        "proportions_changed": found.proportions_changed,
        "explained_by_label_shift": found.explained_by_label_shift,
        "text": found.text,
    }
