"""transferlab: learn and do transfer learning for convolutional networks.

Attributes are imported when first used, so that ``import transferlab`` stays fast.
"""

from importlib import import_module

__version__ = "0.1.0"

_PUBLIC = {
    "ImageSet": "transferlab.data",
    "Task": "transferlab.data",
    "load_task": "transferlab.data",
    "load_backbone": "transferlab.backbones",
    "evaluate": "transferlab.evaluation",
    "FromScratch": "transferlab.transfer",
    "FeatureExtraction": "transferlab.transfer",
    "FineTuning": "transferlab.transfer",
}

__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604 (names, from one table)


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'transferlab' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
