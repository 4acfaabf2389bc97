"""Active learning: a pool of unlabelled images in, the images worth asking a person about out.

Strategies take bare arrays and give positions; they train nothing, read no labels and never ask about an image twice.
Names are imported when first used, so that a label file opens fast.
"""

from importlib import import_module

_PUBLIC = {
    "STRATEGIES": "strategies",
    "FileLabels": "oracles",
    "HiddenLabels": "oracles",
    "LabelFile": "label_file",
    "Strategy": "strategies",
    "merge": "agreement",
    "query": "strategies",
    "run_loop": "loop",
}

__all__ = list(_PUBLIC)


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
