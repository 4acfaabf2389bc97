"""Dropout between body and head: only in training, and part of what a fit depends on."""

import numpy as np
import pytest
from torch import nn

from transferlab import load_task
from transferlab.errors import UserError
from transferlab.transfer import FineTuning, FromScratch


@pytest.fixture(scope="module")
def few():
    return load_task("digits", labels_per_class=2).train


@pytest.mark.parametrize("method", [FineTuning, FromScratch])
def test_dropout_changes_training_but_not_prediction(few, method):
    settings = {"trainable_from": "layer4"} if method is FineTuning else {}
    fits = [
        method("zoo-all", epochs=1, patience=None, dropout=p, device="cpu", **settings).fit(few)
        for p in (0.0, 0.5, 0.5)
    ]
    none, half, again = (model.predict_proba(few) for model in fits)
    assert np.array_equal(half, again) and np.array_equal(half, fits[1].predict_proba(few))
    assert not np.allclose(none, half)
    assert isinstance(fits[1].module_.dropout, nn.Dropout) and not hasattr(fits[0].module_, "dropout")


@pytest.mark.parametrize("share", [-0.1, 1, 2])
def test_a_share_that_is_none_is_refused(few, share):
    with pytest.raises(UserError, match="dropout is a share"):
        FineTuning("zoo-all", dropout=share, device="cpu").fit(few)
