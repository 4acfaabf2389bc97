"""Which validators choose where none is named, fixed on pairs of domains that no other table is about.

On ``letters-to-noise``, ``letters-to-coarse`` and ``colour-to-grey`` (README) the two that ask for sure and varied
answers order the methods best and chose the same one in every run. The ensemble, which adds accuracy on held-out source
samples, orders them better still there, where its members were found, and worse on digits, which had no part in this.
"""

#: Needs a model's answers on the target and nothing else.
DEFAULT_VALIDATOR = "information-maximization"
#: The validators whose ranks the ensemble averages.
ENSEMBLE = ("source-risk", "information-maximization", "nuclear-norm")
