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
# # 08 Choosing a source
#
# Many pretrained networks are on offer: which one should you start from, and when from none of them?
#
# **Time** 50 minutes (teaching 30, exercises 20). **Memory** about 1.5 GB. No GPU, no network.

# %% [markdown]
# ## You will be able to
#
# 1. rank pretrained networks for your own images with one pass each, and say which scores are not defined;
# 2. judge such a ranking by its agreement with the truth over several targets, beside trivial baselines;
# 3. prove that a source harms, with equal effort for training from scratch, and be warned of it in time.

# %% tags=["parameters"]
task: str = "materials"  # images to rank sources for: a bundled set or a folder of images
backbone: str = "tiny"  # a network that is ranked beside the bundled ones
device: str = "auto"  # auto, cpu or cuda
profile: str = "lesson"  # smoke, lesson or report
seed: int = 0

# %%
import numpy as np
from IPython.display import display

from transferlab import load_backbone, load_task
from transferlab.backbones import bundled_names
from transferlab.course import (
    by_profile,
    check,
    chosen_profile,
    grid08,
    lesson08,
    open_ledger,
    predict,
    quiz,
    reveal,
    warm_up,
)
from transferlab.course.grids import stored_grid
from transferlab.evaluation import paired_difference
from transferlab.evaluation.claims import direction
from transferlab.transfer import leep, nce, rank_sources, weighted_tau

profile = chosen_profile(profile)
ledger = open_ledger("08", profile)
seeds = range(seed, seed + by_profile(profile, smoke=2, lesson=3, report=10))

# %% [markdown]
# ## Warm-up

# %%
warm_up("08")

# %% [markdown]
# ## The idea
#
# A network learns from its source what it needed there. What your target needs may be the same or not, and the name
# of a network does not say. Trying all of them answers the question but costs a training each.
#
# A *score* asks less: pass your few labelled images through each network once, and measure how well its features, or
# its own answers, already go with your labels. Whether a score deserves trust is a question for data: on several
# targets, does its order agree with what the sources reach afterwards?
#
# The figure shows what there is to gain.

# %%
grid = stored_grid("08_truth")  # up to 14 sources on six targets, measured before and after training
display(lesson08.truth_card([t for t in grid if t["target"] in ("digits", "materials")]))

# %% [markdown]
# ## Predict
#
# The sources differ in what they were trained on: all classes, animals only, letters, shuffled labels, nothing.

# %% tags=["nbval-check-output"]
sources = list(dict.fromkeys([backbone, *bundled_names()]))
print(len(bundled_names()), "bundled sources, of", end=" ")
print(sorted({sum(s.parameters for s in load_backbone(n).stages) for n in bundled_names()}), "parameters")

# %%
predict(
    "L08.best-order",
    "Which of these orders the sources most like their accuracy after fine-tuning?",
    [lesson08.SIZE, lesson08.SOURCE_ACCURACY, "linear probe"],
)

# %% [markdown]
# ## Experiment
#
# First, your images. Every source sees the same few labelled images, once. The test is not touched.

# %%
own = load_task(task)
ranking = rank_sources(sources, own.draw(min(10, own.labels_available), seed), device=device)
for line in lesson08.ranking_lines(ranking):
    print(line)

# %% tags=["nbval-check-output"]
print("looks at the test:", own.test.looks)

# %% [markdown]
# The first two columns are accuracies on left-out labels: of a linear head, cross-validated, and of the nearest
# neighbours. LogME (You et al. 2021) asks how likely the labels are under all linear heads at once. LEEP (Nguyen et
# al. 2020) asks something else: which classes of the *source* go with which of yours? A source without classes has no
# answer, and a dash stands there; a number would be made up.

# %% tags=["nbval-check-output"]
for source in sorted(ranking.sources, key=lambda s: s.name):
    if source.reasons and source.name in bundled_names():
        print(f"{source.name}: {', '.join(source.reasons)} undefined; {source.reasons['LEEP']}")

# %% [markdown]
# Two ends of LEEP and of NCE, its older sister, which only looks at the class that the source names (Tran et al.
# 2019): 0 when the source's class settles yours, and minus the entropy of your labels when it tells nothing.

# %% tags=["nbval-check-output"]
yours = np.array([0, 0, 1, 1])
print(
    "settled:",
    round(abs(nce([5, 5, 9, 9], yours)), 3),
    "  tells nothing:",
    round(nce([5, 5, 5, 5], yours), 3),
)
print("in doubt:", round(leep(np.full((4, 3), 1 / 3), yours), 3), "= −log 2 =", round(-np.log(2), 3))

# %% [markdown]
# Orders are compared by the weighted Kendall tau (Vigna 2015): 1 is the same order, −1 the opposite, and an exchange
# at the top costs more than one at the bottom.

# %% tags=["nbval-check-output"]
print("best two exchanged: ", round(weighted_tau([4, 3, 2, 1], [3, 4, 2, 1]), 2))
print("worst two exchanged:", round(weighted_tau([4, 3, 2, 1], [4, 3, 1, 2]), 2))

# %% [markdown]
# This run measures some targets itself, with frozen sources: labels are drawn anew for each seed, scores see only
# those, and the test says what a head on the frozen features reaches.

# %%
targets = by_profile(
    profile, smoke=["faces", "digits"], lesson=["faces", "digits", "materials"], report=list(grid08.TARGETS)
)
live = [grid08.measure(target, seeds, tuned=False, device=device) for target in targets]
display(lesson08.agreement_card(live, grid08.FROZEN))

# %% [markdown]
# Sources see 32 pixels here and in the table below, to save time. Fine-tuning all of them on every target would still
# take too long for a lesson. That table was made beforehand by `transferlab course grid 08_truth`; one cell of it is
# made again here. Tuning went on for twelve epochs without early stopping, which would often have kept the start.

# %%
print(lesson08.rerun_sentence(grid, "faces", "zoo-early", device))
print(lesson08.cost_sentence(grid))

# %% [markdown]
# ## Reveal

# %%
display(lesson08.agreement_card(grid, grid08.TUNED))
reveal("L08.best-order", lesson08.best_of(grid, [lesson08.SIZE, lesson08.SOURCE_ACCURACY, "linear probe"]))

# %%
ledger.record("L08.probe-orders-frozen-sources", lesson08.tau_by_seed(live, "linear probe"), "tau", direction)

# %%
ledger.record(
    "L08.source-picked-by-probe-beats-the-average-source",
    lesson08.gain_by_seed(live, "linear probe"),
    "points",
    direction,
)

# %% [markdown]
# The probe asks almost the question whose answer is the truth, and asks it of labels that you have anyway. Compare it
# with the hollow baselines. Twelve of these sources are equally large, so all that size can say is "take a `tiny`".
# That is good advice on some of these targets, not on all, and among the other twelve it is silent. Accuracy on the
# source is a mark from another exam, and some sources have none. The plain H-score is at its upper end wherever a
# network has more features than you have images; the shrunken one is not. Scores share their targets, so compare them
# target by target; six targets hardly tell the better ones apart. Be content with a score that is cheap and far from
# zero.

# %% [markdown]
# ## Predict: a source that harms
#
# A small network learns printed digits, but all it is told is whether a digit is odd or even. For that it may forget
# whatever tells a 3 from a 5. The target is all ten digits, in other fonts.

# %%
predict("L08.harm", "What is that source worth against training from scratch?", list(lesson08.HARMS))

# %% [markdown]
# ## Experiment: equal effort
#
# "Worse than scratch" means little if scratch had one try and the source had ten. So each side gets the same number
# of settings, validation chooses among them, and the test is opened once for all. As a control, a source of the same
# size that was told all ten names.

# %%
told = [lesson08.glyph_source(lesson08.ODD_OR_EVEN, s, device=device) for s in seeds]
print("odd or even, right on its own images:", [f"{lesson08.source_is_right(source):.2f}" for source in told])

# %%
settings, labels_per_class = by_profile(profile, smoke=(1, 30), lesson=(2, 30), report=(2, 30))
against = lesson08.harm_trial(seeds, settings=settings, labels_per_class=labels_per_class, device=device)
display(lesson08.harm_card(against))

# %% [markdown]
# ## Reveal: a source that harms

# %%
reveal("L08.harm", lesson08.harm_words(against))
frozen, tuned = (np.array(lesson08.points(against[n])) for n in (lesson08.HARMFUL, lesson08.TUNED_HARMFUL))
display(ledger.record("L08.frozen-odd-or-even-source-harms", -frozen, "points", direction))
ledger.record("L08.fine-tuned-it-harms-less", tuned - frozen, "points", direction)

# %% [markdown]
# Frozen, the source is behind scratch: nothing asked it to keep what tells a 3 from a 5, and no linear head brings it
# back. The control was told all names and learnt from the same images; so it is the labels that harm. Fine-tuned, the
# same source loses far less: training brings back much of what was forgotten. "This source harms" is therefore a
# sentence about a source, a target, a number of labels and a way of using it.
#
# Must you open the test to find out? Validation images, which were left out of training on either side, say it
# earlier. The alarm compares both on the same images and warns when the 80 % interval of the difference lies below
# zero: a source that makes no difference then sets it off about once in ten times (roughly, since the same images
# chose the settings), and a small harm may slip through.

# %%
for name in (lesson08.HELPFUL, lesson08.HARMFUL):
    print(f"{name}: {against[name].warnings[0].sentence}")

# %%
ledger.record(
    "L08.warned-of-the-harmful-not-of-the-helpful", lesson08.alarm_points(against), "points", direction
)

# %% [markdown]
# ## Investigate
#
# You have a budget of probes, each of which shows the score of one source. Spend it, place your bet, and see the
# truth.

# %% tags=["widget"]
from transferlab.widgets import show, source_picker

materials_first = sorted(grid, key=lambda trial: trial["target"] != "materials")
game = source_picker.candidates(materials_first, grid08.TUNED)
show(source_picker.view(game, budget=4), source_picker.static(game, budget=4))

# %% [markdown]
# ## Exercises
#
# ### Exercise 1 (required, 8 minutes)
#
# Complete the simplest score: for each image find the nearest *other* image by cosine, and give the share of images
# whose neighbour has the same label.


# %% tags=["exercise"]
def neighbour(features, labels): ...


check.L08_neighbour(neighbour)


# %% tags=["solution"]
def neighbour(features, labels):
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -np.inf)  # no image answers for itself
    return (labels[cosines.argmax(1)] == labels).mean()


check.L08_neighbour(neighbour)

# %% [markdown]
# ### Exercise 2 (optional)
#
# For which bundled sources is LEEP not defined? Decide before you look at the ranking above.

# %% tags=["exercise"]
free_of_labels = ...  # a list of names
check.L08_undefined(free_of_labels)

# %% tags=["solution"]
free_of_labels = ["tiny-ssl", "zoo-untrained"]
check.L08_undefined(free_of_labels)

# %% [markdown]
# ### Exercise 3 (optional)
#
# Make your own alarm. `source` and `scratch` say for each validation image whether the answer was right. Return True
# only where chance does not explain that the source is behind. (Booleans cannot be subtracted; `source.astype(float)`
# can.)


# %% tags=["exercise"]
def warn(source, scratch): ...


check.L08_warn(warn)


# %% tags=["solution"]
def warn(source, scratch):
    return paired_difference(source[None], scratch[None], level=0.8).high < 0


check.L08_warn(warn)

# %% [markdown]
# ## On your own images
#
# The ranking above runs on any folder with a folder for each class; targets of known truth keep to bundled sets, and
# so do the sources that harm:
#
# `transferlab course run 08 -p task=path/to/images`
#
# Outside a notebook, `transferlab models score path/to/images` prints the same table, and the transfer report has it,
# too. The folded cell computes two of the scores in plain PyTorch.

# %% jupyter={"source_hidden": true} tags=["plain-pytorch", "nbval-check-output"]
import timm
import torch

from transferlab.transfer import knn_score

few = load_task("materials", labels_per_class=5).train
net = timm.create_model("transferlab_zoo_all", pretrained=True).eval()
with torch.no_grad():
    maps = net.forward_features(load_backbone("zoo-all").preprocess(few.images))
    features = net.forward_head(maps, pre_logits=True)
    source_p = net.fc(features).softmax(1).double()  # probabilities of 200 source classes
labels = torch.from_numpy(few.labels)
joint = torch.nn.functional.one_hot(labels).double().T @ source_p / len(labels)  # p(y, z)
given = joint / joint.sum(0)  # p(y | z)
score = (source_p @ given.T)[torch.arange(len(labels)), labels].log().mean()
unit = torch.nn.functional.normalize(features)
nearest = (unit @ unit.T).fill_diagonal_(-2).argmax(1)
knn = (labels[nearest] == labels).double().mean()
[packaged] = rank_sources(["zoo-all"], few, ["LEEP"], device="cpu").sources
print("same LEEP:", np.isclose(float(score), packaged.scores["LEEP"], atol=1e-4))
print("same neighbours:", np.isclose(float(knn), knn_score(features.numpy(), few.labels, neighbours=1)))

# %% [markdown]
# ## What would change this conclusion
#
# The sources here are small, and twelve of them are equally large, so that size can tell only two of them from the
# rest; in a zoo of many sizes it may say more. With thousands of labels fine-tuning tends to forget where it started,
# sources come closer together, and scores on frozen features lose their hold. Six bundled targets are few: the
# intervals over targets are wide, and a score that leads on them need not lead on yours. Negative transfer is a
# matter of the target as much as of the source: on a target that asks for odd or even, the harmful source might be
# the best of all.

# %% [markdown]
# ## Exit quiz

# %%
quiz("08")

# %% [markdown]
# ## Three things to take away
#
# 1. One pass of your labelled images through each candidate ranks them; tune only the few at the top.
# 2. Judge a score over several targets and beside a baseline that costs nothing; undefined is not a number.
# 3. A source can harm. Give scratch as many tries, compare on validation, and heed the warning first.

# %% [markdown]
# ## References
#
# - Bao, Y. et al. (2019). An information-theoretic approach to transferability in task transfer learning. ICIP.
# - Ibrahim, S. et al. (2022). Newer is not always better: rethinking transferability metrics. ECML PKDD.
# - Nguyen, C. V. et al. (2020). LEEP: a new measure to evaluate transferability of learned representations. ICML.
# - Tran, A. T. et al. (2019). Transferability and hardness of supervised classification tasks. ICCV.
# - Vigna, S. (2015). A weighted correlation index for rankings with ties. WWW.
# - Wang, Z. et al. (2019). Characterizing and avoiding negative transfer. CVPR.
# - You, K. et al. (2021). LogME: practical assessment of pre-trained models for transfer learning. ICML.
