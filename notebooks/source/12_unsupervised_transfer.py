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
# # 12 Unsupervised transfer
#
# No labels at all, neither in the source nor in the target: what can features still bring, and when do pixels do as
# well?
#
# **Time** 50 minutes (teaching 30, exercises 20). **Memory** about 1.5 GB. No GPU, no network.

# %% [markdown]
# ## You will be able to
#
# 1. learn features from images alone, and say what a contrastive loss asks of them;
# 2. score clusters by NMI, ARI, matched accuracy and stability, and say which of these needs labels;
# 3. explain by a test why one kind of features wins, and say what a few labels would have bought.

# %% tags=["parameters"]
task: str = "materials"  # images for the last experiment: a bundled set or a folder of images
backbone: str = "tiny"  # a network that saw labels, to stand beside those that did not
device: str = "auto"  # auto, cpu or cuda
profile: str = "lesson"  # smoke, lesson or report
seed: int = 0

# %%
import numpy as np
import torch
from IPython.display import display

from transferlab import load_backbone, load_task
from transferlab.course import by_profile, check, chosen_profile, open_ledger, predict, quiz, reveal, warm_up
from transferlab.evaluation.claims import direction
from transferlab.unsupervised import nt_xent, uses_labels

profile = chosen_profile(profile)

# %%
from transferlab.course import lesson12, lesson12_cards, lesson12_labels, lesson12_moves, lesson12_neighbours
from transferlab.course.compared import over_seeds
from transferlab.course.lesson12 import PIXELS, SSL, STROKES
from transferlab.course.lesson12_moves import BY_FOUR, BY_TWO, NARROW, PIXELS_BACK, PUT_BACK, WIDE
from transferlab.course.lesson12_own import own_lines

ledger = open_ledger("12", profile)
seeds = range(seed, seed + by_profile(profile, smoke=2, lesson=3, report=10))
more_seeds = range(seed, seed + by_profile(profile, smoke=3, lesson=5, report=10))

# %% [markdown]
# ## Warm-up

# %%
warm_up("12")

# %% [markdown]
# ## The idea
#
# Without labels, images must set the task themselves:
#
# - **self-taught learning** (Raina et al. 2007) looks for a dictionary of small strokes from which patches can be put
#   together, here patches of printed letters;
# - **self-supervised learning** sets a puzzle. In SimCLR (Chen et al. 2020) each image is cropped, turned and shaded
#   twice, and each view has to find its partner among all others. `tiny-ssl` learnt that on photographs.
#
# Whoever finds the partner has learnt to ignore what differs between two views. *Which views are made decides what
# features ignore.* Below: pairs of views, and who finds the partner.

# %%
views, found = lesson12.partner_trial()
display(lesson12_cards.partners_card(views, found))

# %% [markdown]
# ## Predict: handwritten digits
#
# Two sets: grey patches of twelve photographs, each a class, and handwritten digits of 8 by 8 pixels. Features: raw
# pixels, a network with random weights, the dictionary of letters, `tiny-ssl`, and a network that was trained with
# labels.

# %% tags=["nbval-check-output"]
for name, clusters in lesson12.SETS.items():
    print(f"{name}: {len(lesson12.images(name))} images, {clusters} clusters asked for")

# %%
predict("L12.digits", "Clusters of which features agree best with the ten digits?", [PIXELS, SSL, "tiny"])

# %% [markdown]
# ## Experiment
#
# k-means is told how many groups there are, and nothing else. Labels come in afterwards, for scores. **NMI** and
# **ARI** ask whether groups and classes go together, whatever their numbers; **matched accuracy** lends each group the
# best class name and counts right ones. Three groupings of 1,200 samples, of which nine in ten are of one class:

# %% tags=["nbval-check-output"]
for name, (nmi, ari, matched) in lesson12.toy_scores().items():
    print(f"{name:24} NMI {abs(nmi):.2f}   ARI {abs(ari):.2f}   matched accuracy {matched:.2f}")

# %% [markdown]
# Putting nearly all in one group matches most samples and says nothing: matched accuracy has no fixed zero. ARI has: 0
# is chance, 1 is best. So this lesson goes by ARI.
#
# Now both sets. One of these networks carries a mark: it learnt from labels of other images which differences count.

# %% tags=["nbval-check-output"]
for name in (SSL, "tiny"):
    print(f"{name}: labels used upstream:", uses_labels(load_backbone(name)))

# %%
every = by_profile(profile, smoke=4, lesson=1, report=1)
side = {name: lesson12.clustered(name, seeds[:5], backbone, every) for name in lesson12.SETS}
display(lesson12_cards.side_card(side))

# %%
for name, each in side.items():
    print(name, *lesson12.scores_lines(each), sep="\n")

# %% [markdown]
# The last two columns need no labels. *Silhouette* asks how much nearer an image is to its own cluster than to the
# next; it is measured in each row's own space, so it cannot compare rows. *Stability* is the ARI of one clustering
# against another with other images drawn and another start. Compare both with ARI row by row. Clusters can come out
# alike again and again and still not be your classes, as those of materials by the letters' strokes. Stability says
# that there is a grouping, not which one.

# %% [markdown]
# ## Reveal

# %%
asked = [side["digits"][name] for name in dict.fromkeys((PIXELS, SSL, backbone))]
reveal("L12.digits", max(asked, key=lambda row: row.ari.estimate).features)

# %% [markdown]
# For the claims each seed draws a half of the images, the same half for both sides (100 × ARI is the unit). Halves of
# one set share images: their intervals are about other draws from this set, not about other sets. On materials,
# features from elsewhere are far ahead of pixels, those of the letters' strokes, too:

# %%
halves = {(name, o): lesson12.half_ari(name, o, more_seeds) for name in side for o in (PIXELS, STROKES, SSL)}
gain = halves["materials", SSL] - halves["materials", PIXELS]
display(ledger.record("L12.self-supervised-features-beat-pixels-on-materials", gain, "points", direction))
gain = halves["materials", STROKES] - halves["materials", PIXELS]
ledger.record("L12.strokes-of-letters-beat-pixels-on-materials", gain, "points", direction)

# %% [markdown]
# On handwritten digits it is the other way round for `tiny-ssl`, and clearly so. Strokes of letters hold their own
# there: level with pixels on all digits (the table above), ahead on halves of them. So pixels are not best because
# they are raw.

# %%
gain = halves["digits", PIXELS] - halves["digits", SSL]
display(ledger.record("L12.pixels-beat-self-supervised-features-on-digits", gain, "points", direction))
gain = halves["digits", STROKES] - halves["digits", PIXELS]
ledger.record("L12.strokes-of-letters-beat-pixels-on-halves-of-the-digits", gain, "points", direction)

# %% [markdown]
# Why? "The network never saw a digit" is one explanation, but it does not say why *pixels* should be good. Here is
# another that can be tested. Somebody has cut out each digit and put it in the middle, all in one size. So pixel 27 of
# one digit is the same place as pixel 27 of another, and comparing them is sensible. On a patch of gravel no pixel has
# a place of its own.

# %% [markdown]
# ## Predict: digits that move
#
# If that is why, it must end when the digits move. Each digit is made a little smaller, then moved its own way by up
# to 2 of 32 pixels, less than one pixel of the original. You would hardly notice.

# %%
LOSES = ("less than a tenth", "about a quarter", "more than a half")
predict("L12.moved", "How much of their ARI do clusters of pixels lose?", LOSES)

# %%
display(lesson12_cards.moves_pictures(lesson12.images("digits")))

# %% [markdown]
# ## Experiment: digits that move
#
# The last row is the counter-test. Digits are moved by up to 4 pixels and then put back by their centre of mass, for
# which no label is needed. If place is what pixels live by, that must bring them back.

# %%
moves = lesson12_moves.moves_trial(seeds)
display(lesson12_cards.moves_card(moves))

# %% [markdown]
# ## Reveal: digits that move

# %%
lost = moves.lost_share(PIXELS, BY_TWO).mean()
reveal("L12.moved", LOSES[0 if lost < 10 else 1 if lost < 50 else 2])

# %%
display(ledger.record("L12.a-small-move-costs-pixels-much", moves.lost(PIXELS, BY_TWO), "points", direction))
more = moves.lost_share(PIXELS, BY_TWO) - moves.lost_share(SSL, BY_TWO)
display(ledger.record("L12.it-costs-pixels-a-larger-share-than-the-network", more, "% of ARI", direction))
back = moves.lost(PIXELS, BY_FOUR) - moves.lost(PIXELS, PUT_BACK)
ledger.record("L12.putting-digits-back-brings-pixels-back", back, "points", direction)

# %% [markdown]
# So pixels had help after all: whoever centred the digits knew what matters in them. It is knowledge, and it came
# from a person. The dictionary of letters keeps the quarter of the image in which a stroke stands, and it, too, lives
# by place. `tiny-ssl` had less to lose, and loses a smaller share of it, probably since crops were among its views:
# moved by 2, both are about level, and moves by up to 4 pixels are too much for either. No kind of features wins
# everywhere: each is right where what it ignores does not matter.

# %% [markdown]
# ## Predict: views of your own
#
# Then choose what to ignore. A small network is trained with SimCLR on the moved digits themselves, from scratch,
# without a label, for a few seconds. Once with narrow views, nearly the same picture twice; once with wide ones,
# cropped and moved.

# %%
WHICH = (NARROW, WIDE, "no difference is shown")
predict("L12.views", "After which views do clusters agree better with the digits?", WHICH)

# %% [markdown]
# ## Experiment: views of your own
#
# Views are not mirrored: most mirrored digits are no digits, and a network that ignores mirroring could not tell.
# That choice is knowledge again, but a cheaper one than labels. Could the network cheat by putting all images in one
# point? Then it can only guess among 2N - 1 views, and its loss is their logarithm, whatever it does:

# %% tags=["nbval-check-output"]
one_point = torch.ones(4, 3)
print(f"{float(nt_xent(one_point, one_point)):.4f} = log 7 = {np.log(7):.4f}")

# %%
epochs = by_profile(profile, smoke=8, lesson=10, report=15)
trained = lesson12_moves.views_trial(seeds, epochs=epochs, device=device)
display(lesson12_cards.views_card(trained))

# %% [markdown]
# ## Reveal: views of your own

# %%
ari = trained.ari
ahead = 100 * (ari[BY_TWO, WIDE] - ari[BY_TWO, NARROW])
_, low, high = over_seeds(ahead)
reveal("L12.views", WHICH[1 if low > 0 else 0 if high < 0 else 2])

# %% [markdown]
# With narrow views the puzzle is solved by comparing pixels, and that is what the network learns. Wide views make it
# ignore place, and the digits come out. No label was used on either side, and the network is small. But the last row,
# pixels of digits that were put back by their centre of mass, one line and no training, does better still. Wide views
# are for cases in which nobody knows what to put back.

# %%
display(ledger.record("L12.wide-views-beat-narrow-views-on-moved-digits", ahead, "points", direction))
own = 100 * (ari[BY_TWO, WIDE] - ari[BY_TWO, PIXELS])
display(ledger.record("L12.own-views-beat-pixels-on-moved-digits", own, "points", direction))
elsewhere = 100 * (ari[BY_TWO, WIDE] - ari[BY_TWO, SSL])
display(ledger.record("L12.own-views-beat-features-from-photographs", elsewhere, "points", direction))
knowing = 100 * (ari[BY_TWO, PIXELS_BACK] - ari[BY_TWO, WIDE])
ledger.record("L12.pixels-put-back-beat-own-views", knowing, "points", direction)

# %% [markdown]
# ## Predict: what labels would have bought
#
# Back to `tiny-ssl` as it is, on materials. Matched accuracy gives clusters the best names that there are, for which it
# looks at all labels. A probe gets a few labels a class and nothing more.

# %%
FEW = ("1", "5", "20", "not even 20")
predict("L12.labels", "With how many labels a class is a probe ahead of clusters (1, 5, 20)?", FEW)

# %% [markdown]
# ## Experiment: what labels would have bought
#
# Both sides have the very same features. A probe is scored on the images whose labels it did not get.

# %%
pairs = (("materials", SSL), ("digits", SSL), ("digits", PIXELS))
bought = {pair: lesson12_labels.labels_trial(*pair, more_seeds) for pair in pairs}
display(lesson12_cards.labels_card(list(bought.values())))

# %% [markdown]
# ## Reveal: what labels would have bought

# %%
overtaken = bought["materials", SSL].overtakes(among=(1, 5, 20))
reveal("L12.labels", FEW[3] if overtaken is None else str(overtaken))

# %%
five = bought["materials", SSL].bought(5)
display(ledger.record("L12.five-labels-a-class-beat-clusters-on-materials", five, "points", direction))
probes = 100 * (bought["digits", SSL].probe[5] - bought["digits", PIXELS].probe[5])
ledger.record("L12.with-five-labels-the-network-beats-pixels-on-digits", probes, "points", direction)

# %% [markdown]
# Look at the last claim again: the same features, the same digits, and the order has turned round. For clusters, pixels
# were ahead; with five labels a class, the network is. The digits were in its features all along, in directions that
# k-means has no reason to prefer: it follows whatever varies most. A few labels say which directions count. So poor
# clusters do not mean poor features, and a few labels a class can be worth more than clusters of all images.

# %% [markdown]
# ## Investigate
#
# Choose an image and see what lies nearest to it by each kind of features. The slider and the menu listen to arrow
# keys. Among moved digits, look at *where* the neighbours by pixels stand. Neighbours forgive more than clusters do:
# one other digit that was moved the same way is enough.

# %% tags=["widget"]
from transferlab.widgets import neighbours, show

cases = lesson12_neighbours.cases(seed, backbone)
show(neighbours.view(cases), neighbours.static(cases))

# %% [markdown]
# ## Exercises
#
# ### Exercise 1 (required, 8 minutes)
#
# The contrastive loss (NT-Xent). `a` and `b` are two views (N, D), row i of both from one image. Stack them to 2N rows
# of length 1. For each row: minus the log of exp(cosine to its partner / temperature) over the sum of the same for all
# rows but itself. Give the mean.


# %% tags=["exercise"]
def contrastive(a, b, temperature): ...


check.L12_contrastive(contrastive)


# %% tags=["solution"]
def contrastive(a, b, temperature):
    z = np.concatenate([a, b])
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    s = z @ z.T / temperature
    np.fill_diagonal(s, -np.inf)  # no view answers itself
    rows = np.arange(len(z))
    return (np.log(np.exp(s).sum(1)) - s[rows, np.roll(rows, len(a))]).mean()


check.L12_contrastive(contrastive)

# %% [markdown]
# ### Exercise 2 (optional)
#
# Matched accuracy. `clusters` and `classes` are whole numbers (N,), both from 0 on, as many of one as of the other.
# Give the share of right ones under the best one-to-one names. `linear_sum_assignment` of SciPy finds them.


# %% tags=["exercise"]
def matched(clusters, classes): ...


check.L12_matched(matched)


# %% tags=["solution"]
def matched(clusters, classes):
    from scipy.optimize import linear_sum_assignment

    table = np.zeros((clusters.max() + 1, classes.max() + 1))
    np.add.at(table, (clusters, classes), 1)
    return table[linear_sum_assignment(table, maximize=True)].sum() / len(classes)


check.L12_matched(matched)

# %% [markdown]
# ### Exercise 3 (optional)
#
# ARI by pairs. Count the pairs of samples that are together in both, in a cluster, in a class, and all pairs. By
# chance, clusters × classes / all are together in both; at best, the mean of clusters and classes. Give the part of the
# way from chance to best.


# %% tags=["exercise"]
def rand(clusters, classes): ...


check.L12_rand(rand)


# %% tags=["solution"]
def rand(clusters, classes):
    same = clusters[:, None] == clusters, classes[:, None] == classes
    above = np.triu_indices(len(classes), 1)  # each pair once
    in_clusters, in_classes = (each[above] for each in same)
    chance = in_clusters.sum() * in_classes.sum() / len(in_classes)
    best = (in_clusters.sum() + in_classes.sum()) / 2
    return ((in_clusters & in_classes).sum() - chance) / (best - chance)


check.L12_rand(rand)

# %% [markdown]
# ## On your own images
#
# The next cell clusters the images of `task` by three kinds of features. Labels are for the scores alone. For a folder
# with a folder for each class:
#
# `transferlab course run 12 -p task=path/to/images`

# %%
for line in own_lines(load_task(task, progress=False), backbone, seed, "cpu" if device == "auto" else device):
    print(line)

# %% [markdown]
# SimCLR needs other images to push away. VICReg (Bardes et al. 2022) does without: views alike, each feature spread,
# features uncorrelated. The folded cell computes its loss in plain PyTorch.

# %% jupyter={"source_hidden": true} tags=["plain-pytorch", "nbval-check-output"]
from transferlab.unsupervised import vicreg_loss

generator = torch.Generator().manual_seed(0)
a = torch.randn(32, 8, generator=generator)
b = a + 0.3 * torch.randn(32, 8, generator=generator)
loss = 25 * ((a - b) ** 2).mean()  # the views of one image are to be alike
for view in (a, b):
    centred = view - view.mean(0)
    covariance = centred.T @ centred / (len(view) - 1)
    spread = (covariance.diagonal() + 1e-4).sqrt()
    loss = loss + 25 * (1 - spread).clamp(min=0).mean()  # or all images would become one point
    between = covariance - torch.diag(covariance.diagonal())
    loss = loss + (between**2).sum() / view.shape[1]  # or all features would say the same
print("VICReg, same as the package:", torch.allclose(loss, vicreg_loss(a, b), rtol=1e-5))

# %% [markdown]
# ## What would change this conclusion
#
# The networks here are small and so are the sets. A larger self-supervised network, trained on many more images, may
# ignore moves by itself and know digits, too. k-means looks for round groups of one size; another clustering may find
# others. That the number of classes was told is help that you may not have. And digits by a scanner, neither centred
# nor of one size, would never have shown pixels ahead. A class of materials is one photograph here; several photographs
# a class would be harder for clusters and probes alike. What stays: features win where what
# they ignore does not matter, and a test that changes just this says why.

# %% [markdown]
# ## Exit quiz

# %%
quiz("12")

# %% [markdown]
# ## Three things to take away
#
# 1. Without labels the views, or the strokes, decide what features ignore; choose them for your images.
# 2. Pixels win where somebody has aligned the images: move them a little, and see what is left.
# 3. Clusters are no classes. Score them by ARI, mark labels upstream, and compare with a probe on a few labels.

# %% [markdown]
# ## References
#
# - Bardes, A., Ponce, J. and LeCun, Y. (2022). VICReg: variance-invariance-covariance regularization. ICLR.
# - Chen, T. et al. (2020). A simple framework for contrastive learning of visual representations. ICML.
# - Coates, A. and Ng, A. Y. (2011). The importance of encoding versus training with sparse coding. ICML.
# - Hubert, L. and Arabie, P. (1985). Comparing partitions. Journal of Classification.
# - Raina, R. et al. (2007). Self-taught learning: transfer learning from unlabeled data. ICML.
# - von Luxburg, U. (2010). Clustering stability: an overview. Foundations and Trends in Machine Learning.
