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
# # 03 A map of transfer
#
# Transfer comes in types. Which one is yours, and what may a method of that type see?
#
# **Time** 45 minutes (teaching 25, exercises 20). **Memory** about 1.5 GB. No GPU, no network.

# %% [markdown]
# ## You will be able to
#
# 1. sort a real problem into inductive, transductive, unsupervised or no transfer, and give the reason;
# 2. say of each method which images and labels it may see, and find the one that peeked;
# 3. test for negative transfer with the arm that it takes.

# %% tags=["parameters"]
task: str = "materials"  # images for the last experiment: a bundled set or a folder of images
backbone: str = "zoo-all"  # the pretrained network for the last experiment
device: str = "auto"  # auto, cpu or cuda
profile: str = "lesson"  # smoke, lesson or report
seed: int = 0

# %%
import numpy as np
import torch
from IPython.display import display

from transferlab import load_task
from transferlab.course import (
    by_profile,
    check,
    chosen_profile,
    lesson03,
    open_ledger,
    predict,
    quiz,
    reveal,
    warm_up,
)
from transferlab.course.glyph_transfer import SHAPE
from transferlab.course.lesson03 import FROZEN, SCRATCH, SOURCE_ONLY, STATISTICS, TUNED
from transferlab.evaluation.claims import direction, equivalent, unresolved
from transferlab.widgets import show, sorter

# %%
profile = chosen_profile(profile)
ledger = open_ledger("03", profile)
# smoke trains just long enough to show the large effects; its two seeds settle nothing
seeds = by_profile(profile, smoke=2, lesson=3, report=10)
budgets = by_profile(profile, smoke=(1, 10), lesson=(1, 5, 10), report=(1, 5, 10))

# %% [markdown]
# ## Warm-up

# %%
warm_up("03")

# %% [markdown]
# ## The idea
#
# Pan and Yang (2010) draw the map with two words. A *domain* is where the data come from: features and how often each
# look occurs. A *task* is what is asked: the classes and the rule from image to class. Then labels decide:
#
# - **inductive**: the target has labels, however few, that teach its task (another task, for Pan and Yang);
# - **transductive**: one task, two domains, labels in the source alone;
# - **unsupervised**: no labels on either side.
#
# Same domain and same task is ordinary learning.
#
# Source and target of this lesson: printed digits, and digits written by hand.

# %%
display(lesson03.glimpse())

# %% tags=["nbval-check-output"]
printed, written = lesson03.source_images(), lesson03.target_task()
print("same classes:", printed.classes == written.classes)
print("same shape:", printed.images.shape[1:] == written.train.images.shape[1:], printed.images.shape[1:])

# %% [markdown]
# The rule in three questions, asked in order. `None` is a blank on the map: labelled source, another task, and no
# target label.

# %% tags=["nbval-check-output"]
for facts in (
    (True, True, False, True),
    (True, False, True, False),
    (False, False, False, False),
    (True, True, True, True),
    (True, False, False, False),
):
    said_facts = [
        n
        for n, there in zip(
            ("source labels", "target labels", "same task", "same domain"), facts, strict=True
        )
        if there
    ]
    print(f"{', '.join(said_facts) or 'none of it':58}{sorter.kind_of(*facts)}")

# %% [markdown]
# A comparison is fair among methods that may see the same. So write down first what each may see:

# %% tags=["nbval-check-output"]
print(lesson03.may_see())

# %% [markdown]
# ## Predict
#
# A small network learns printed digits. Then it meets handwritten ones, with no label, or with 1 to 10 labels a
# class.

# %%
WORTH = ("the source, without a target label", "ten target labels a class, without the source")
predict("L03.alone", "Which is worth more on handwritten digits?", WORTH)

# %%
SHRINKS = ("less with ten labels a class than with one", "as much or more with ten labels a class")
predict("L03.gain", "What do frozen source features gain over a network without the source?", SHRINKS)

# %% [markdown]
# ## Experiment
#
# Seven methods, all in one look at the test. "Target statistics" keeps every weight and takes BatchNorm's means and
# variances anew from unlabelled target images (Li et al. 2017). "Pooled" trains on source and target images together.

# %%
source_epochs = by_profile(profile, smoke=10, lesson=12, report=12)
sources = [lesson03.train_source(seed + i, source_epochs, device) for i in range(seeds)]

# %%
epochs, pooled = by_profile(profile, smoke=(12, 4), lesson=(20, 8), report=(20, 8))
trial = lesson03.map_trial(
    sources, budgets=budgets, epochs=epochs, pooled_epochs=pooled, device=device, seed=seed
)
display(lesson03.map_card(trial))

# %% [markdown]
# What "target statistics" touched: no weight, all statistics, and no label was read.

# %% tags=["nbval-check-output"]
unlabelled = written.draw(10, seed).unlabelled.images
adapted = lesson03.with_target_statistics(sources[0], unlabelled[:64])
old, new = sources[0].backbone.tensors(), adapted.backbone.tensors()
same = {n: torch.equal(old[n], new[n]) for n in old}
print("weights as before:", all(v for n, v in same.items() if "running" not in n and "tracked" not in n))
print("running means as before:", any(v for n, v in same.items() if "running_mean" in n))

# %% [markdown]
# ## Reveal

# %%
few, many = budgets[0], budgets[-1]
reveal("L03.alone", WORTH[int(trial.accuracy(SCRATCH, many) > trial.accuracy(SOURCE_ONLY))])
gains = {k: np.array(trial.points((FROZEN, k), (SCRATCH, k))) for k in (few, many)}
reveal("L03.gain", SHRINKS[int(gains[many].mean() >= gains[few].mean())])

# %% [markdown]
# The source alone already reads many handwritten digits. With one label a class, its features are far ahead of a
# network that never saw print. Ten labels a class, without any source, overtake the source that has no target label.
# What the source adds shrinks as target labels grow.

# %%
display(ledger.record("L03.frozen-source-helps-with-one-label", gains[few], "points", direction))
display(ledger.record("L03.gain-shrinks-with-labels", gains[few] - gains[many], "points", direction))
ledger.record(
    "L03.ten-labels-beat-the-source-alone",
    trial.points((SCRATCH, many), (SOURCE_ONLY, 0)),
    "points",
    direction,
)

# %% [markdown]
# Now hold what is often written against what is meant and what was measured. Which rows surprise you?

# %%
display(lesson03.sayings(trial))

# %% [markdown]
# Two things are worth a claim of their own. Tuning the source with ten labels and a network that never saw it, given
# the same labels and twice the epochs, are not told apart: no negative transfer is shown *for this use of this
# source*, and no gain either. And new statistics alone bring a few points at most: print and handwriting probably
# differ in shape more than in brightness or contrast, and then there is little for a mean and a variance to mend.

# %%
display(
    ledger.record(
        "L03.tuned-source-against-target-only-with-ten-labels",
        trial.points((TUNED, many), (SCRATCH, many)),
        "points",
        unresolved,
    )
)
ledger.record(
    "L03.target-statistics-change-little",
    trial.points((STATISTICS, 0), (SOURCE_ONLY, 0)),
    "points",
    equivalent(10),
)

# %% [markdown]
# ## Investigate
#
# Real problems to sort. Read one, choose a type, and see at once whether and why. The slider moves with the arrow
# keys, and so do the types. After each answer a row shows which side has labels.

# %% tags=["nbval-check-output"]
cases = lesson03.scenarios()
facts_of = [(c.source_labels, c.target_labels, c.same_task, c.same_domain) for c in cases]
follows = all(c.kind == sorter.kind_of(*f) for c, f in zip(cases, facts_of, strict=True))
print(len(cases), "scenarios; each type follows from its facts:", follows)

# %% tags=["widget"]
show(sorter.view(cases), sorter.static(cases))

# %% [markdown]
# ## Exercises
#
# ### Exercise 1 (required, 8 minutes)
#
# Write the map as a function of four facts, each true or false: `source_labels`, `target_labels`, `same_task`,
# `same_domain`. It gives `"inductive"`, `"transductive"`, `"unsupervised"` or `"none"`. The blank on the map
# is not asked.

# %% tags=["exercise"]
kind = ...  # def kind(source_labels, target_labels, same_task, same_domain): ...
check.L03_kind(kind)


# %% tags=["solution"]
def kind(source_labels, target_labels, same_task, same_domain):
    if same_task and same_domain:
        return "none"
    if target_labels:
        return "inductive"
    return "transductive" if source_labels else "unsupervised"


check.L03_kind(kind)

# %% [markdown]
# ### Exercise 2 (optional)
#
# One BatchNorm layer by hand: a function of target features (a row an image, a column a channel) and the source's
# mean and variance. It gives the features as "target statistics" would normalise them.

# %% tags=["exercise"]
renormalise = ...  # def renormalise(x, source_mean, source_variance): ...
check.L03_renormalise(renormalise)


# %% tags=["solution"]
def renormalise(x, source_mean, source_variance):
    return (x - x.mean(0)) / np.sqrt(x.var(0) + 1e-5)


check.L03_renormalise(renormalise)

# %% [markdown]
# ### Exercise 3 (optional)
#
# Somebody calls these transductive. Which break the rules? Give them as a list of sentences.
#
# - take BatchNorm statistics from unlabelled target images
# - pick the epoch by accuracy on labelled target images
# - weight source images by how much they look like target images
# - fine-tune on five labelled target images
# - pick the epoch by accuracy on held-out source images
# - try three methods on the target's test labels and report the best

# %% tags=["exercise"]
leaks = ...  # a list of sentences from above
check.L03_leaks(leaks)

# %% tags=["solution"]
leaks = [
    "pick the epoch by accuracy on labelled target images",
    "fine-tune on five labelled target images",
    "try three methods on the target's test labels and report the best",
]
check.L03_leaks(leaks)

# %% [markdown]
# ## On your own images
#
# Printed and handwritten digits are a controlled pair and stay whatever `task` says. On `task` the next cell asks the
# inductive question: with few labels, what are pretrained features worth? For a folder with a folder for each class:
#
# `transferlab course run 03 -p task=path/to/images`

# %%
own = load_task(task, progress=False)
for line in lesson03.own_lines(own, backbone, range(seed, seed + min(seeds, 3)), device):
    print(line)

# %% [markdown]
# The folded cell takes target statistics in plain PyTorch and compares the features with the package's.

# %% jupyter={"source_hidden": true} tags=["plain-pytorch", "nbval-check-output"]
source, images = sources[0].backbone, unlabelled[:128]
model = SHAPE.build(0)
model.load_state_dict(source.tensors())
for part in model.modules():
    if isinstance(part, torch.nn.BatchNorm2d):
        part.reset_running_stats()
        part.momentum = None  # the plain mean over batches
with torch.no_grad():
    for i in range(0, len(images), 64):
        model.train()(source.preprocess(images[i : i + 64]))
    x = source.preprocess(images)
    by_hand = model.eval().forward_head(model.forward_features(x), pre_logits=True).numpy()
ours = lesson03.with_target_statistics(sources[0], images).backbone.features(images)
print("same features as the package:", np.allclose(by_hand, ours, atol=1e-4))

# %% [markdown]
# ## What would change this conclusion
#
# A target that differs from its source in brightness, contrast or colour would give new statistics something to mend.
# A source farther away would help less with one label, or harm. More target labels would close the gaps, fewer source
# labels too. The types are definitions that no measurement changes, but papers draw borders differently: the same
# classes in a new domain *with* a few target labels are supervised domain adaptation to many, and Pan and Yang leave
# them out. Here labels decide.

# %% [markdown]
# ## Exit quiz

# %%
quiz("03")

# %% [markdown]
# ## Three things to take away
#
# 1. Ask for labels first: in the target, in the source, nowhere. That names the type.
# 2. Write down what a method may see before you compare it, and choose nothing by labels that it may not see.
# 3. Negative transfer is measured against the same effort without the source.

# %% [markdown]
# ## References
#
# - Li, Y. et al. (2017). Revisiting batch normalization for practical domain adaptation. ICLR workshop.
# - Pan, S. J. and Yang, Q. (2010). A survey on transfer learning. IEEE Transactions on Knowledge and Data
#   Engineering.
# - Wang, Z. et al. (2019). Characterizing and avoiding negative transfer. CVPR.
