"""The game of lesson 16: a board of images of the study, with a head on frozen features and rivals who have played."""

from __future__ import annotations

from transferlab.active.arms import ArmSettings, StudyImages, make_learners
from transferlab.backbones import load_backbone
from transferlab.training.boundary_cache import shared_cache
from transferlab.widgets.label_game_board import Board, make_board


def board(
    images: StudyImages, backbone: str = "tiny", seed: int = 0, *, draws: int = 100, plays: int = 10
) -> Board:
    """96 images of the pool, three rounds of 12 picks; a logistic head on the frozen features of ``backbone``.

    Parameters
    ----------
    draws, plays : how often chance and each strategy play
    """
    learners = make_learners((), images, load_backbone(backbone), ArmSettings(), shared_cache())
    return make_board(images, learners["pretrained"], draws=draws, plays=plays, seed=seed)
