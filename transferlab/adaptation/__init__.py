"""Transductive transfer: a labelled source and an unlabelled target in, a model of the target out.

Methods on feature arrays take any scikit-learn classifier; deep methods take image sets and a backbone; both are
called alike. What chooses among them sees no target label; only :func:`oracle_gap` does, afterwards.
"""

from transferlab.adaptation.adversarial import CDAN, DANN
from transferlab.adaptation.base import FeatureAdapter, SourceOnly
from transferlab.adaptation.coral import CORAL
from transferlab.adaptation.deep_base import DeepSourceOnly, ImageAdapter
from transferlab.adaptation.deep_joint import DAN, MCC, DeepCORAL, JointAdapter
from transferlab.adaptation.default_validators import DEFAULT_VALIDATOR
from transferlab.adaptation.density_ratio import DensityRatio, effective_size
from transferlab.adaptation.diagnosis import Diagnosis, diagnose
from transferlab.adaptation.domain_distance import DomainDistance, detectable_distance, domain_distance
from transferlab.adaptation.gradient_reversal import reverse_gradient
from transferlab.adaptation.joint_components import JDA
from transferlab.adaptation.kernel_components import TCA
from transferlab.adaptation.kmm import KMM
from transferlab.adaptation.label_shift import LabelShift, bbse
from transferlab.adaptation.m3sda import M3SDA
from transferlab.adaptation.mean_discrepancy import mmd
from transferlab.adaptation.multi_source import SourceEnsemble
from transferlab.adaptation.on_images import OnFeatures
from transferlab.adaptation.optimal_transport import OptimalTransport
from transferlab.adaptation.oracle import OracleGap, oracle_gap, validator_agreement
from transferlab.adaptation.pseudo_labels import PseudoLabels
from transferlab.adaptation.sample_size import labels_to_show_drop
from transferlab.adaptation.selection import Selection, select, validator_scores
from transferlab.adaptation.shot import SHOT
from transferlab.adaptation.source_free import AdaBN, SourceFree
from transferlab.adaptation.study import METHODS, DomainPair, run_seed
from transferlab.adaptation.study_summary import summarize
from transferlab.adaptation.subspace import SubspaceAlignment
from transferlab.adaptation.tent import TENT
from transferlab.adaptation.tradaboost import TrAdaBoost
from transferlab.adaptation.validators import VALIDATORS, ValidatorInput, validate

__all__ = [
    "CDAN",
    "CORAL",
    "DAN",
    "DANN",
    "DEFAULT_VALIDATOR",
    "JDA",
    "KMM",
    "M3SDA",
    "MCC",
    "METHODS",
    "SHOT",
    "TCA",
    "TENT",
    "VALIDATORS",
    "AdaBN",
    "DeepCORAL",
    "DeepSourceOnly",
    "DensityRatio",
    "Diagnosis",
    "DomainDistance",
    "DomainPair",
    "FeatureAdapter",
    "ImageAdapter",
    "JointAdapter",
    "LabelShift",
    "OnFeatures",
    "OptimalTransport",
    "OracleGap",
    "PseudoLabels",
    "Selection",
    "SourceEnsemble",
    "SourceFree",
    "SourceOnly",
    "SubspaceAlignment",
    "TrAdaBoost",
    "ValidatorInput",
    "bbse",
    "detectable_distance",
    "diagnose",
    "domain_distance",
    "effective_size",
    "labels_to_show_drop",
    "mmd",
    "oracle_gap",
    "reverse_gradient",
    "run_seed",
    "select",
    "summarize",
    "validate",
    "validator_agreement",
    "validator_scores",
]
