"""Labelled images before any label is hidden: what a loader hands over."""

from __future__ import annotations

from dataclasses import dataclass, field

from transferlab.data.imageset import ImageSet


@dataclass(frozen=True, eq=False)
class Labelled:
    """Development and test images of one problem, all labelled, with card and audit.

    Parameters
    ----------
    name : what the problem is called
    development : images that labels may be drawn from
    validation : images set apart by whoever made the set, or None
    test : images that only the final score may meet
    card : facts and measured baselines (see ``transferlab.data.bundled``); empty for a folder
    audit : what reading the images brought up; empty for bundled sets

    Examples
    --------
    >>> from transferlab.data.bundled import load_bundled
    >>> faces = load_bundled("faces")
    >>> faces.development.classes, faces.validation
    (('face', 'other'), None)
    """

    name: str
    development: ImageSet
    validation: ImageSet | None
    test: ImageSet
    card: dict = field(default_factory=dict)
    audit: dict = field(default_factory=dict)
