"""A name or a weights file in; an immutable backbone of named stages out.

Networks of timm and torchvision, and those that come with the package, are cut into the same kind of
ordered stages and keep the preprocessing of their weights. This room never trains, never unpickles, and
never sees labels. Importing it registers the bundled networks with timm, as ``transferlab_tiny`` and so on.
"""

from transferlab.backbones.architecture import Architecture
from transferlab.backbones.attribution import (
    RandomizationCheck,
    grad_cam,
    last_map,
    occlusion,
    randomization_check,
    randomized,
)
from transferlab.backbones.backbone import Backbone, Stage
from transferlab.backbones.bundled import backbone_card, build_small_resnet, bundled_names, register_bundled
from transferlab.backbones.inspect_stages import (
    EffectiveField,
    effective_field,
    first_filters,
    stage_maps,
    stage_means,
    strongest_patches,
)
from transferlab.backbones.load import load_backbone, random_backbone
from transferlab.backbones.preprocessing import Preprocessing
from transferlab.backbones.segment import Segment
from transferlab.backbones.value_sum import ValueSum, value_sum
from transferlab.backbones.weights_file import HEAD_PREFIX, read_description, read_tensors, write_weights

register_bundled()

__all__ = [
    "HEAD_PREFIX",
    "Architecture",
    "Backbone",
    "EffectiveField",
    "Preprocessing",
    "RandomizationCheck",
    "Segment",
    "Stage",
    "ValueSum",
    "backbone_card",
    "build_small_resnet",
    "bundled_names",
    "effective_field",
    "first_filters",
    "grad_cam",
    "last_map",
    "load_backbone",
    "occlusion",
    "random_backbone",
    "randomization_check",
    "randomized",
    "read_description",
    "read_tensors",
    "register_bundled",
    "stage_maps",
    "stage_means",
    "strongest_patches",
    "value_sum",
    "write_weights",
]
