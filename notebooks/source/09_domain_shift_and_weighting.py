# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 09 Domain shift and instance weighting
#
# The source has labels, the target has none, and something is different there. What can be seen of it, and when do
# weights on the source mend it?
#
# **Time** 50 minutes (teaching 30, exercises 20). **Memory** about 1.5 GB. No GPU, no network.

# %% [markdown]
# ## You will be able to
#
# 1. tell covariate, label and concept shift apart, and say what of each can be seen without a target label;
# 2. make importance weights from a domain classifier, and class weights from a model's own confusion;
# 3. say from the effective sample size, and from the model, when weights will not help or will harm.

# %% tags=["parameters"]
task: str = "printed-digits"  # images to make two domains of: a bundled set or a folder of images
backbone: str = "tiny"  # the pretrained network whose features are compared and weighted
device: str = "auto"  # auto, cpu or cuda
profile: str = "lesson"  # smoke, lesson or report
seed: int = 0

# %%
import numpy as np
from IPython.display import display

from transferlab import load_backbone, load_task
from transferlab.adaptation import DensityRatio, effective_size, labels_to_show_drop
from transferlab.course import (
    by_profile,
    check,
    chosen_profile,
    lesson09,
    open_ledger,
    predict,
    quiz,
    reveal,
    warm_up,
)
from transferlab.course import lesson09_figures as shown
from transferlab.course.grid09 import BY_CLASS, BY_SAMPLE, SOURCE_ONLY, plane
from transferlab.course.grids import stored_grid
from transferlab.course.lesson09 import BENT, CONCEPT_SHIFT, COVARIATE_SHIFT, LABEL_SHIFT, NONE, STRAIGHT
from transferlab.evaluation.claims import direction, equivalent

# %%
profile = chosen_profile(profile)
ledger = open_ledger("09", profile)
seeds = range(seed, seed + by_profile(profile, smoke=2, lesson=3, report=10))

# %% [markdown]
# ## Warm-up

# %%
warm_up("09")

# %% [markdown]
# ## The idea
#
# A domain is a distribution p(x, y) of samples and labels. Two domains can differ in three ways:
#
# - **covariate shift**: p(x) changes, the rule p(y | x) stays; other things are photographed, their names hold;
# - **label shift**: p(y) changes, the look p(x | y) stays; one class has become frequent;
# - **concept shift**: the rule p(y | x) changes; the same thing has another name.
#
# Real shifts are mixtures. Here they are made by hand, first on a plane, where everything is known: the classes A
# and B lie below and above a wave.
#
# If a source sample is twice as likely in the target, let it count twice: that is *instance weighting*. It needs a
# target that looks like part of the source.

# %%
display(shown.shifts_card())

# %% [markdown]
# What a shift leaves alone can be counted: the share of class B near one place, and the places of class B.

# %% tags=["nbval-check-output"]
for name, moved in {"covariate": {"covariate": 2}, "label": {"label": 10}}.items():
    rule, places = lesson09.what_moved(**moved)
    print(f"{name}: rule kept {abs(rule) < 0.05}, places of B kept {abs(places) < 0.05}")

# %% [markdown]
# ## Predict
#
# Now somebody compares both domains who has no target label. Each shift below is strong.

# %%
predict(
    "L09.unseen",
    "Which of them goes unseen, however many target images there are?",
    [COVARIATE_SHIFT, LABEL_SHIFT, CONCEPT_SHIFT],
)

# %% [markdown]
# ## Experiment
#
# A *domain classifier* learns to tell source from target on one half of the samples. If it succeeds on the other
# half, the domains differ; four times its accuracy above chance is the proxy A-distance, from 0 to 2. The model's
# predictions are compared as well: BBSE (Lipton et al. 2018) solves for the class proportions that would explain
# them, *if* p(x | y) is fixed. Then the source is brought to these proportions; is the difference gone?

# %%
on_plane = lesson09.plane_draws(seeds)
display(shown.seen_table(on_plane))

# %% [markdown]
# The same in words, for the first draw of covariate shift. The diagnosis never claims covariate shift: to
# say that the rule stayed, it would have to see target labels.

# %%
print(lesson09.plane_diagnosis(COVARIATE_SHIFT, seed))

# %% [markdown]
# Labels buy what samples cannot show. Drawn at random from the target, so many would show a drop from 85 %
# accuracy, in four cases of five, whatever caused it:

# %% tags=["nbval-check-output"]
for drop in (0.4, 0.2, 0.1, 0.05):
    print(f"a drop of {100 * drop:2.0f} points: {labels_to_show_drop(0.85, drop):4} target labels")

# %% [markdown]
# ## Reveal

# %%
reveal("L09.unseen", shown.least_seen(on_plane))
lost = lesson09.drop(on_plane[NONE], on_plane[CONCEPT_SHIFT])
display(ledger.record("L09.exchanged-names-cost-points", lost, "points", direction))
apart = [draw.distance for draw in on_plane[CONCEPT_SHIFT]]
ledger.record("L09.exchanged-names-are-not-seen", apart, "A-distance", equivalent(0.2))

# %% [markdown]
# The names were exchanged, and not a sample moved: nothing that looks at samples can notice. Where "detected" stands
# for a draw or two without shift or with exchanged names, it is a false alarm, which a test at 5 % raises once in
# twenty draws. The other two are seen easily. Compare the last two columns under label shift: accuracy need not fall at
# all. A shift that is seen need not harm, and one that harms need not be seen.
#
# The third column may say "changed" under covariate shift, too, since a class grows when its places do. So the
# fourth one matters: under label shift nothing is left to see once the proportions are equal. It is a test like any
# other. It errs as often as its level says, and that it found nothing does not mean that nothing is there; so the
# diagnosis says how large a distance it would have found. The same words for a draw of label shift:

# %%
print(lesson09.plane_diagnosis(LABEL_SHIFT, seed))

# %% [markdown]
# ## Predict: weights
#
# A straight line cannot follow a wave. It fits best where the source has most samples, and the target lies
# elsewhere. Weights move its attention. They come from the domain classifier: the odds of "target" for a source
# sample.

# %%
predict(
    "L09.far", "The target lies five standard deviations away. What do weights by sample do there?", shown.FAR
)

# %% [markdown]
# ## Experiment: how far weights reach
#
# Unequal weights have a price. Kish's *effective sample size*, (Σw)² / Σw², says how many equally weighted samples
# the weighted ones are worth. For two normal distributions d standard deviations apart and exact weights, the share
# that is left is e^(−d²):

# %% tags=["nbval-check-output"]
draws = np.random.default_rng(0).normal(size=1_000_000)
for d in (0, 0.5, 1):
    left = effective_size(np.exp(d * draws)) / len(draws)
    print(f"{d} apart: {left:.2f} of the samples left, by the formula {lesson09.exact_share(d):.2f}")

# %% [markdown]
# The target moves away step by step. `DensityRatio` takes weights from a domain classifier, `KMM` chooses them so
# that the weighted source has the target's mean in a kernel's space (Huang et al. 2006). A second model may bend.

# %%
steps = by_profile(profile, smoke=(2, 5), lesson=(1, 2, 3, 5), report=(1, 2, 3, 5))
overlap = lesson09.overlap_trial(seeds, steps)
display(shown.overlap_card(overlap))

# %%
for line in shown.effective_lines(overlap):
    print(line)

# %% [markdown]
# ## Reveal: how far weights reach

# %%
reveal("L09.far", shown.far_words(overlap))
display(
    ledger.record("L09.weights-mend-a-straight-line", overlap.gain(STRAIGHT, 2), "points", direction),
    ledger.record("L09.a-line-that-bends-gains-little", overlap.gain(BENT, 2), "points", equivalent(5)),
)
harm = [-gain for gain in overlap.gain(STRAIGHT, 5)]
ledger.record("L09.weights-harm-a-straight-line-without-overlap", harm, "points", direction)

# %% [markdown]
# Three things decide. *Overlap*: at two standard deviations enough source samples lie where the target is, and
# weights mend a straight line. At five there are none; the few that come nearest get all the weight, and the line
# follows the wave at the wrong place. *The model*: one that can bend follows the wave as far as there are samples, so
# there is little for weights to mend (Shimodaira 2000). *The estimate*: without overlap nobody knows the ratio. Exact
# weights would leave nothing, but the classifier's still leave some samples. A small effective size is a warning;
# how small it is cannot be trusted.

# %% [markdown]
# ## Predict: images
#
# Now features of images. Source and target are drawn by lot from one set: with even odds, by brightness, by class,
# or with the names of two classes exchanged.

# %%
question = "Half of the classes are frequent in the target and rare in the source. What is most accurate?"
predict("L09.images", question, [SOURCE_ONLY, BY_SAMPLE, BY_CLASS])

# %% [markdown]
# ## Experiment: images
#
# BBSE gives a weight for each class as well: its estimated share of the target over that of the source. It can weight
# source samples, or multiply the probabilities of a model that is already there, as here (Saerens et al. 2002).

# %%
own, net = load_task(task), load_backbone(backbone).with_input_size(32)  # a quarter of the work of 64 pixels
pool = lesson09.pool_of(own, net, device)
on_images = lesson09.image_draws(pool, seeds)
display(shown.seen_table(on_images))

# %% tags=["nbval-check-output"]
print("looks at the test:", own.test.looks)

# %%
display(shown.weights_card(on_images))

# %% [markdown]
# ## Reveal: images

# %%
reveal("L09.images", shown.best_weights(on_images[LABEL_SHIFT]))
by_class = lesson09.gains(on_images[LABEL_SHIFT], BY_CLASS)
display(ledger.record("L09.class-weights-mend-label-shift", by_class, "points", direction))
by_sample = lesson09.gains(on_images[COVARIATE_SHIFT], BY_SAMPLE)
ledger.record(
    "L09.sample-weights-change-little-under-covariate-shift-on-images", by_sample, "points", equivalent(3)
)

# %% [markdown]
# Weights by class need a number for each class, and a model that confuses few of them gives these well. Weights by
# sample need a ratio in as many dimensions as there are features. Even where nothing was shifted, the domain
# classifier finds differences that are none, and most of the effective size is gone: a price, whatever the gain. And
# these features let a linear head fit bright and dark images alike, so covariate shift leaves little to mend, as
# with the line that may bend.
#
# Last, a shift that nobody made by hand: from print to handwriting.

# %%
names = ("printed-digits", "digits")
printed, written = (lesson09.pool_of(load_task(name), net, device) for name in names)
far = lesson09.far_draws(printed, written, seeds)
print(*shown.far_lines(far, "printed digits", "handwritten ones"), sep="\n")

# %% [markdown]
# The domain classifier is hardly ever wrong, so no source image stands for a target image. Weighting is over here;
# lesson 10 moves the features instead.

# %% [markdown]
# ## Investigate
#
# Three dials for the plane. Find a setting that is seen and does no harm; one that harms and is not seen; one at
# which weights by sample win, and one at which weights by class do. Then turn two dials at once: which weights
# survive a mixture?

# %% tags=["widget"]
from transferlab.widgets import shift_dials, show

grid = stored_grid("09_dials")  # five draws of each setting
show(shift_dials.view(grid), shift_dials.static(grid))

# %% [markdown]
# ## Exercises
#
# ### Exercise 1 (required, 8 minutes)
#
# A domain classifier saw `n_source` source and `n_target` target samples, and gives each source sample the
# probability `p` of being from the target. Write the density ratio p_target(x) / p_source(x) as a function of the
# three, not brought to any mean.


# %% tags=["exercise"]
def ratio(p, n_source, n_target): ...


check.L09_ratio(ratio)


# %% tags=["solution"]
def ratio(p, n_source, n_target):
    return p / (1 - p) * n_source / n_target


check.L09_ratio(ratio)

# %% [markdown]
# ### Exercise 2 (optional)
#
# Kish's effective sample size as a function of the weights.


# %% tags=["exercise"]
def effective(weights): ...


check.L09_effective(effective)


# %% tags=["solution"]
def effective(weights):
    return weights.sum() ** 2 / (weights**2).sum()


check.L09_effective(effective)

# %% [markdown]
# ### Exercise 3 (optional)
#
# The heart of BBSE. `confusion` has a column for each true class: the mean prediction on source samples of that
# class. `predicted` is the mean prediction on the target. Give the target's class proportions.


# %% tags=["exercise"]
def proportions(confusion, predicted): ...


check.L09_proportions(proportions)


# %% tags=["solution"]
def proportions(confusion, predicted):
    return np.linalg.solve(confusion, predicted)


check.L09_proportions(proportions)

# %% [markdown]
# ## On your own images
#
# The experiment on images makes its domains of any folder with a folder for each class, 40 images a class or more;
# the plane, print and handwriting stay as they are:
#
# `transferlab course run 09 -p task=path/to/images`
#
# The folded cell makes the weights in plain PyTorch and compares them with the package's.

# %% jupyter={"source_hidden": true} tags=["plain-pytorch", "nbval-check-output"]
import torch

rng = np.random.default_rng(0)
(X, y), (target, _) = plane(400, rng), plane(400, rng, covariate=1)
both = torch.from_numpy(np.concatenate([X, target]))
is_target = (torch.arange(800) >= 400).double()
z = (both - both.mean(0)) / both.std(0, correction=0)
slope = torch.zeros(2, dtype=torch.double, requires_grad=True)
start = torch.zeros(1, dtype=torch.double, requires_grad=True)
fit = torch.optim.LBFGS([slope, start], max_iter=200, line_search_fn="strong_wolfe")


def loss():
    fit.zero_grad()
    off = torch.nn.functional.binary_cross_entropy_with_logits(z @ slope + start, is_target, reduction="sum")
    total = off + slope @ slope / 2  # scikit-learn's ridge at C = 1
    total.backward()
    return total


fit.step(loss)
odds = torch.exp(z[:400] @ slope + start).detach().numpy()  # as many samples of both: the odds are the ratio
packaged = DensityRatio().fit(X, y, target).ratio(X)
print("same ratios as the package:", np.allclose(np.minimum(odds, 20), packaged, rtol=0.03))

# %% [markdown]
# ## What would change this conclusion
#
# A head too simple for its features would leave weights more to mend; a larger source would make them less noisy, and
# fewer features too. Class weights rest on p(x | y) being fixed: where a class also looks different, its proportions
# can be wrong and their interval narrow. Where the model confuses classes much, BBSE refuses. In a mixture neither kind
# of weight has its assumption, and both can harm: the dials show it. The strength of each shift was our choice; milder
# ones are harder to see and do less. And a test that finds no shift says no more than that none of a size that it
# would have found is likely.

# %% [markdown]
# ## Exit quiz

# %%
quiz("09")

# %% [markdown]
# ## Three things to take away
#
# 1. Shift of samples can be seen without target labels; its kind only under an assumption; a change of names never.
# 2. Weights by sample mend what a model cannot fit, where domains overlap and the rule stayed; weights by class set
#    the odds right where the looks stayed, even for a model that fits.
# 3. Look at the effective sample size before you trust a weighted model, and buy some random target labels.

# %% [markdown]
# ## References
#
# - Bickel, S., Brückner, M. and Scheffer, T. (2009). Discriminative learning under covariate shift. Journal of
#   Machine Learning Research.
# - Huang, J. et al. (2006). Correcting sample selection bias by unlabeled data. NIPS.
# - Kish, L. (1965). Survey sampling. Wiley.
# - Lipton, Z. C., Wang, Y.-X. and Smola, A. (2018). Detecting and correcting for label shift with black box
#   predictors. ICML.
# - Moreno-Torres, J. G. et al. (2012). A unifying view on dataset shift in classification. Pattern Recognition.
# - Saerens, M., Latinne, P. and Decaestecker, C. (2002). Adjusting the outputs of a classifier to new a priori
#   probabilities. Neural Computation.
# - Shimodaira, H. (2000). Improving predictive inference under covariate shift by weighting the log-likelihood
#   function. Journal of Statistical Planning and Inference.
