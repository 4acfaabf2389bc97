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
# # 05 Fine-tuning
#
# Which stages of a trained network should learn on, and which should stay as they are?
#
# **Time** 60 minutes (teaching 35, exercises 25). **Memory** about 1.5 GB. No GPU, no network.

# %% [markdown]
# ## You will be able to
#
# 1. decide which stages to train by asking what has changed between source and target, and test the decision;
# 2. tune a whole network without losing what a fitted head already had;
# 3. prove with a hash that what you call frozen really is.

# %% tags=["parameters"]
task: str = "digits"  # images for the second half: a bundled set or a folder of images
backbone: str = "zoo-all"  # the pretrained network for the second half
device: str = "auto"  # auto, cpu or cuda
profile: str = "lesson"  # smoke, lesson or report
seed: int = 0

# %%
import torch
from IPython.display import display

from transferlab import load_backbone, load_task, viz
from transferlab.course import (
    by_profile,
    check,
    chosen_profile,
    lesson05,
    lesson05_tuning,
    open_ledger,
    predict,
    quiz,
    reveal,
    warm_up,
)
from transferlab.course.compared import said
from transferlab.course.glyph_transfer import untrained
from transferlab.course.grids import stored_grid
from transferlab.evaluation.claims import direction, equivalent, unresolved
from transferlab.training.freezing import freeze, set_train_mode, state_hash
from transferlab.transfer import relative_gradient_norms
from transferlab.widgets import freeze_slider, show

# %%
profile = chosen_profile(profile)
ledger = open_ledger("05", profile)
# smoke trains just long enough to show the large effects; its two seeds settle nothing
seeds = by_profile(profile, smoke=2, lesson=3, report=10)
source_epochs, epochs = by_profile(profile, smoke=(10, 10), lesson=(15, 30), report=(15, 30))

# %% [markdown]
# ## Warm-up

# %%
warm_up("05")

# %% [markdown]
# ## The idea
#
# A trained network is a chain: early stages turn pixels into patterns, late ones turn patterns into answers. A new
# problem rarely breaks the whole chain. If only the *look* of the images has changed, the late stages still
# know what to do, once an early one has learnt to translate. If only the *names* have changed, nothing but the
# head needs to move. With few labels, every number that trains needlessly is a number that can overfit.
# Lee et al. (2023) call the choice of one part *surgical* fine-tuning.
#
# To see it cleanly we need changes that we made ourselves: *inverted* exchanges black and white in printed digits,
# *relabelled* calls every digit by the next name. The second half of the lesson is about your images.

# %%
shown = lesson05.target_task("inverted").draw(10, seed).train
display(viz.examples(shown.images, shown.labels, shown.classes, max_classes=3))

# %% [markdown]
# ## Predict: two changes
#
# The source network learns printed digits in some fonts. Each target has other fonts and ten labels a class. We
# train one part and leave all others as they are, old head included; or we fit a new head on frozen features.

# %%
parts = list(lesson05.PARTS)
predict("L05.inverted", "Which single part is worth most when the digits are inverted?", parts)
predict("L05.relabelled", "Which when they are relabelled?", parts)

# %% [markdown]
# ## Experiment: two changes
#
# First see that the targets differ from the source in one thing.

# %% tags=["nbval-check-output"]
digits = lesson05.source_images()
inverted, relabelled = (lesson05.changed(digits[:2], change) for change in ("inverted", "relabelled"))
both = inverted.images + digits[:2].images
print("inverted pixels sum to 255 with the old ones:", bool((both == 255).all()))
print("labels", digits[:2].labels.tolist(), "become", relabelled.labels.tolist())

# %% tags=["nbval-check-output"]
net = untrained()
for stage in net.stages:
    print(f"{stage.name:8}{stage.parameters:7,} numbers learn   {stage.output_shape}")

# %% [markdown]
# Training takes a few seconds a network. There is one network for each seed, since one run proves little.

# %%
sources = [lesson05.train_source(seed + i, source_epochs, device) for i in range(seeds)]

# %%
trials = [
    lesson05.depth_trial(change, sources, epochs=epochs, device=device, seed=seed)
    for change in ("inverted", "relabelled")
]
display(lesson05.depth_card(trials))

# %% [markdown]
# ## Reveal: two changes

# %%
reveal("L05.inverted", trials[0].best_part())
reveal("L05.relabelled", trials[1].best_part())

# %%
early = trials[0].points("layer1", "head alone")
display(ledger.record("L05.inverted-digits-need-an-early-stage", early, "points", direction))
late = trials[1].points("head alone", "layer1")
display(ledger.record("L05.relabelled-digits-need-the-head", late, "points", direction))

# %% [markdown]
# Same network, same number of labels, opposite answers. Inverted digits need an early stage; a new head on top
# of features that no longer mean anything is of little use. Relabelled digits need the head and nothing else; an
# early stage would have to repaint each digit as its neighbour.
#
# Why does an early stage suffice? Black is −1 and white is 1 for this network, so inverting is a change of sign, and
# the first convolution can undo it: turn the sign of its weights and the old network is back, whatever it had learnt.

# %% tags=["nbval-check-output"]
part = net.trainable_copy(0).eval()
with torch.no_grad():
    before = part(net.preprocess(digits.images[:8]))
    part.get_submodule("conv1").weight.neg_()
    after = part(net.preprocess(255 - digits.images[:8]))
print("one change of sign undoes the inversion:", torch.allclose(before, after, atol=1e-4))

# %% [markdown]
# ## Predict: a third target
#
# Handwritten digits: pictures of another kind, under the same names.

# %%
predict("L05.handwritten", "How far apart will layer1 alone and the head alone be?", lesson05.APART)

# %% [markdown]
# ## Experiment: a third target

# %%
handwritten = lesson05.depth_trial("handwritten", sources, epochs=epochs, device=device, seed=seed)
display(lesson05.depth_card([handwritten]))

# %% [markdown]
# ## Reveal: a third target

# %%
reveal("L05.handwritten", lesson05.far_apart(handwritten))
gap = handwritten.points("layer1", "head alone")
ledger.record("L05.handwritten-digits-hide-the-choice", gap, "points", equivalent(10))

# %% [markdown]
# Far apart before, the two now reach about the same. Had this been the only target, you could have concluded that
# the choice hardly matters. A comparison needs a target on which the answers can differ.

# %% [markdown]
# ## Experiment: can the choice be learnt?
#
# Lee et al. propose a rule that needs no training: compare the size of each stage's gradient with the size of its
# weights (relative gradient norm), and train where it is largest.

# %%
norms = relative_gradient_norms(sources[0], lesson05.target_task("relabelled").draw(10, seed).train)
print({name: round(value, 2) for name, value in norms.items()})

# %%
for trial in trials:
    for rule, choose in (
        ("largest gradient", lesson05.gradient_choice),
        ("validation", lesson05.validation_choice),
    ):
        chosen = choose(trial, sources, seed)
        print(said(lesson05.choice_cost(trial, chosen, rule), trial.change))

# %% [markdown]
# ## Reveal: can the choice be learnt?
#
# The gradient names the same stage for both, so it cannot be right twice. The rule looks at the network before it
# learns: it says where the loss is steep, not where the answer lies. The plain alternative costs more computing:
# train every candidate and ask the validation images.

# %% [markdown]
# ## Predict: what was forgotten?
#
# A tuned network may no longer do its old work. Here each one meets the source's own test again.

# %%
candidates = ["layer1", "layer4", "head alone"]
predict(
    "L05.forgotten", "Learning inverted digits with which part costs most of the old accuracy?", candidates
)

# %% [markdown]
# ## Experiment: what was forgotten?

# %%
forgotten = lesson05.forgetting(trials[0], sources)
display(lesson05.forgetting_card(forgotten, "inverted"))

# %% [markdown]
# ## Reveal: what was forgotten?

# %%
reveal("L05.forgotten", forgotten.most(candidates))
ledger.record("L05.the-early-stage-forgets", forgotten.points("layer1"), "points of old accuracy", direction)

# %% [markdown]
# An early stage that has learnt to read inverted digits can hardly read the others any more: what adapts best here
# also forgets a lot. The frozen body of "head alone" is unchanged: with the old head put back, nothing is lost at
# all. Tuned stages have no such way back, unless you keep a copy. A network that has to serve both problems is best
# given two heads on one frozen body, or two copies; training on both sets of images at once is the third way.

# %% [markdown]
# ## Predict: in which order, and how fast?
#
# From here on everything runs on `task` with `backbone`. A new head starts at random. If all stages learn at once,
# its first large errors flow down and change features that were good (Kumar et al. 2022). The remedy is to fit the
# head first, on frozen features. Slower rates for lower stages and unfreezing from the top, stage after stage, have
# the same aim (Howard and Ruder 2018).
#
# There is a snag. The head was fitted on features that BatchNorm normalised with the *source's* statistics. In train
# mode it would switch to those of each *batch*, and the fitted head would meet features that it has never seen. So
# `FineTuning` keeps the source's statistics; the row "batch statistics" is head first without that care.

# %%
ways = ["head first", "random head", "layer-wise rates"]
predict("L05.moved", "Which way moves the features of new images furthest?", ways)

# %% [markdown]
# ## Experiment: in which order, and how fast?

# %%
own = load_task(task)
tuning = lesson05_tuning.tuning_trial(
    own,
    backbone,
    seeds=range(seed, seed + seeds),
    labels_per_class=min(10, own.labels_available),
    epochs=by_profile(profile, smoke=3, lesson=15, report=15),
    device=device,
)
display(lesson05_tuning.tuning_card(tuning, own.name))

# %%
for line in lesson05_tuning.tuning_sentences(tuning):
    print(line)

# %% [markdown]
# ## Reveal: in which order, and how fast?

# %%
reveal("L05.moved", tuning.moves_most(ways))
further = tuning.moved_further("random head", "head first")
display(ledger.record("L05.a-random-head-moves-features-further", further, "% of their length", direction))
cost = tuning.points("head first", "batch statistics")
display(ledger.record("L05.source-statistics-against-batch-statistics", cost, "points", unresolved))

# %% [markdown]
# With batch statistics validation preferred the fitted head as it was to most of what training made of it, and early
# stopping kept that start. So the accuracies above hardly show the snag: what they are apart is not resolved. The
# line that counts kept starts does show it. Slower rates and gradual unfreezing have to prove their use on each task.
# Read an interval that holds zero as "not told apart here", not as "equal".

# %% [markdown]
# ## Predict: BatchNorm's trap
#
# `requires_grad = False` stops the optimizer. Now a network in which nothing requires a gradient sees one batch in
# train mode.

# %%
answers = ["the same: nothing learns", "changed all the same"]
predict("L05.trap", "Its state (all weights and buffers) is afterwards …", answers)

# %% [markdown]
# ## Experiment: BatchNorm's trap
#
# Accuracy often hides it. A hash of all weights and buffers does not.

# %% tags=["nbval-check-output"]
trap = net.trainable_copy(0).requires_grad_(False)
x = net.preprocess(digits.images[:64])
cached, hash_before = trap.eval()(x), state_hash(trap)
trap.train()(x)  # one pass "frozen", without an optimizer
same_state = state_hash(trap) == hash_before
print("nothing learns:", not any(p.requires_grad for p in trap.parameters()))
print("state unchanged:", same_state)

# %% [markdown]
# ## Reveal: BatchNorm's trap

# %%
reveal("L05.trap", answers[0] if same_state else answers[1])

# %% [markdown]
# In train mode BatchNorm goes on averaging whatever passes. So activations that were computed once, because the
# stages are frozen, no longer fit the network that goes on training above them:

# %% tags=["nbval-check-output"]
print("cached activations still right:", torch.equal(trap.eval()(x), cached))

# %% [markdown]
# The remedy: every part in which nothing trains runs in eval mode. `set_train_mode` does that before each epoch.

# %% tags=["nbval-check-output"]
safe = freeze(net.trainable_copy(0))
hash_before = state_hash(safe)
set_train_mode(safe)
safe(x)
print("state unchanged:", state_hash(safe) == hash_before)

# %% [markdown]
# ## Investigate
#
# Move the boundary between what is frozen and what trains. **Where does the accuracy stop paying for the memory?
# On which target does the answer change with the number of labels?**

# %% tags=["widget"]
grid = stored_grid("05_freeze")
show(freeze_slider.view(grid), freeze_slider.static(grid))

# %% [markdown]
# ## Exercises
#
# ### Exercise 1 (required, 8 minutes)
#
# Only `layer4` should learn in the next epoch. Write what `prepare` has to do to the network that it is given, so
# that `layer4` is trained and nothing else moves, hashes included.


# %% tags=["exercise"]
def prepare(network):
    """Get ``network`` ready for an epoch in which layer4 alone learns."""


check.L05_freeze(prepare)


# %% tags=["solution"]
def prepare(network):
    """Get ``network`` ready for an epoch in which layer4 alone learns."""
    network.requires_grad_(False).eval()
    network.layer4.requires_grad_(True).train()


check.L05_freeze(prepare)

# %% [markdown]
# ### Exercise 2 (optional)
#
# You try `layer1` alone on inverted digits and 16 of the 20 validation images are right; with `stem` and `layer1`
# together it is 18. Give the 95 % interval of the first, as two fractions, with `wilson` of `transferlab.evaluation`.
# Is the pair better?

# %% tags=["exercise"]
interval = ...
check.L05_interval(interval)

# %% tags=["solution"]
from transferlab.evaluation import wilson

found = wilson(16, 20)
check.L05_interval((found.low, found.high))

# %% [markdown]
# ### Exercise 3 (optional)
#
# With `layer_decay=0.5` each stage learns half as fast as the one above it, and the head at the full rate. By what
# is the rate of each part multiplied? Make a dict of the names `stem`, `layer1` to `layer4` and `head`.

# %% tags=["exercise"]
rates = ...
check.L05_rates(rates)

# %% tags=["solution"]
upwards = ["stem", "layer1", "layer2", "layer3", "layer4", "head"]
check.L05_rates({name: 0.5 ** (5 - place) for place, name in enumerate(upwards)})

# %% [markdown]
# ## On your own images
#
# The second half of this lesson on a folder that holds a folder for each class:
#
# `transferlab course run 05 -p task=path/to/images`
#
# Nothing above is magic. The folded cell writes it in plain PyTorch: fit the head, freeze all but the last stage,
# train, with the same schedule. It ends by comparing its answers with those of `FineTuning`. Look for three lines
# in it: the one that turns the head for standardised features into a head for features as they are, the one
# that keeps every BatchNorm in eval mode, and the one that sets the learning rate anew at every step.

# %% jupyter={"source_hidden": true} tags=["plain-pytorch", "nbval-check-output"]
import math

import numpy as np
import timm
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from transferlab import FineTuning

few, zoo = load_task("digits", labels_per_class=5).train, load_backbone("zoo-all")
x, y = zoo.preprocess(few.images), torch.from_numpy(few.labels)
model = timm.create_model("transferlab_zoo_all", pretrained=True, num_classes=10).eval()
with torch.no_grad():
    features = model.forward_head(model.forward_features(x), pre_logits=True).numpy()
scaler = StandardScaler().fit(features)
head = LogisticRegression(max_iter=2000).fit(scaler.transform(features), few.labels)
weight = head.coef_ / scaler.scale_  # the head that sees features as they are
model.fc.weight.data = torch.from_numpy(weight).float()
model.fc.bias.data = torch.from_numpy(head.intercept_ - weight @ scaler.mean_).float()
model.requires_grad_(False)
trained = [*model.layer4.requires_grad_(True).parameters(), *model.fc.requires_grad_(True).parameters()]
optimizer = torch.optim.AdamW(trained, weight_decay=0)
# model stays in eval mode: BatchNorm keeps the source's statistics while its weights learn
for step in range(steps := 10):
    done = step / steps
    share = max(done / 0.1, 1e-3) if done < 0.1 else 0.5 * (1 + math.cos(math.pi * (done - 0.1) / 0.9))
    optimizer.param_groups[0]["lr"] = 3e-4 * share
    torch.nn.functional.cross_entropy(model(x), y).backward()
    torch.nn.utils.clip_grad_norm_(trained, 5.0)
    optimizer.step()
    optimizer.zero_grad()
with torch.no_grad():
    by_hand = model.eval()(x).softmax(1).numpy()
ours = FineTuning(
    "zoo-all", trainable_from="layer4", epochs=10, batch_size=len(few), weight_decay=0, device="cpu"
)
print("same answers as FineTuning:", np.allclose(by_hand, ours.fit(few).predict_proba(few), atol=1e-3))

# %% [markdown]
# ## What would change this conclusion
#
# A change of look that no early stage can undo (a new kind of camera *and* new objects) would take the early stage's
# lead away. So would many labels: with enough of them everything can train. Other rates or more epochs move
# single numbers. These digits are simple and the networks small, so take the *question* with you, not the stage's
# name.

# %% [markdown]
# ## Exit quiz

# %%
quiz("05")

# %% [markdown]
# ## Three things to take away
#
# 1. Ask what changed. Look of the images: try early stages. Names only: the head. Unsure: validation images.
# 2. Fit the head before you tune what lies below it, and keep BatchNorm's statistics while you do.
# 3. Frozen means eval mode as well as no gradient. A hash proves it.

# %% [markdown]
# ## References
#
# - Howard, J. and Ruder, S. (2018). Universal language model fine-tuning for text classification. ACL.
# - Kumar, A. et al. (2022). Fine-tuning can distort pretrained features and underperform out-of-distribution. ICLR.
# - Lee, Y. et al. (2023). Surgical fine-tuning improves adaptation to distribution shifts. ICLR.
