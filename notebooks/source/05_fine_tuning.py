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
# **Time** 50 minutes, half of it reading. **Memory** about 1.5 GB. No GPU, no network.
#
# After this lesson you can
#
# 1. decide which stages to train by asking what has changed between source and target, and test the decision;
# 2. write the training loop by hand, with a fitted head, frozen stages and a schedule, and check it against a library;
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
from transferlab.course import by_profile, chosen_profile, lesson05
from transferlab.training.freezing import freeze, set_train_mode, state_hash
from transferlab.transfer import SurgicalFineTuning, relative_gradient_norms

profile = chosen_profile(profile)
# smoke only shows that everything runs: its networks learn too little to conclude anything from
seeds = by_profile(profile, smoke=2, lesson=3, report=10)
source_epochs, epochs = by_profile(profile, smoke=(4, 4), lesson=(15, 30), report=(15, 30))

# %% [markdown]
# ## The idea
#
# A trained network is a chain: early stages turn pixels into patterns, late ones turn patterns into answers. A new
# problem rarely breaks the whole chain. If only the *look* of the images has changed, the late stages still
# know what to do, once an early one has learnt to translate. If only the *names* have changed, nothing but the
# head needs to move. With few labels, every number that trains needlessly is a number that can overfit.
# Lee et al. (2023) call the choice of one part *surgical* fine-tuning.
#
# To see it cleanly we need two changes that we made ourselves. So this half of the lesson keeps to printed digits,
# whatever `task` says; the second half is about your images.

# %% [markdown]
# ## A source, and two targets that differ from it in one thing
#
# The source network learns printed digits in some fonts. The targets use other fonts, and change one thing:
# *inverted* exchanges black and white, *relabelled* calls every digit by the next name.

# %% tags=["nbval-check-output"]
digits = lesson05.source_images()
inverted, relabelled = (lesson05.changed(digits[:2], change) for change in ("inverted", "relabelled"))
print(
    "inverted pixels sum to 255 with the old ones:", bool((inverted.images + digits[:2].images == 255).all())
)
print("labels", digits[:2].labels.tolist(), "become", relabelled.labels.tolist())

# %% tags=["nbval-check-output"]
net = lesson05.untrained()
for stage in net.stages:
    print(f"{stage.name:8}{stage.parameters:7,} numbers learn   {stage.output_shape}")

# %%
shown = lesson05.target_task("inverted").draw(10, seed).train
display(viz.examples(shown.images, shown.labels, shown.classes, max_classes=3))

# %% [markdown]
# Training takes a few seconds a network. There is one network for each seed, since one run proves little.

# %%
sources = [lesson05.train_source(seed + i, source_epochs, device) for i in range(seeds)]

# %% [markdown]
# ## Predict
#
# Each target has ten labels a class. We train one stage and leave all others as they are, old head included; or we
# fit a new head on frozen features; or we train everything. Before you run the next cell, write down: **which
# single part is worth most when the digits are inverted? Which when they are relabelled?**

# %%
trials = [
    lesson05.depth_trial(change, sources, epochs=epochs, device=device, seed=seed)
    for change in ("inverted", "relabelled")
]
display(lesson05.depth_card(trials))

# %%
for trial in trials:
    print(lesson05.said(trial.compare("layer1", "head alone"), trial.change))

# %% [markdown]
# ## Reveal
#
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
# ## A target that hides all of it
#
# Predict again: handwritten digits, pictures of another kind but under the same names. **Early stage or head?**

# %%
handwritten = lesson05.depth_trial("handwritten", sources, epochs=epochs, device=device, seed=seed)
display(lesson05.depth_card([handwritten]))

# %%
print(lesson05.said(handwritten.compare("layer1", "head alone"), "handwritten"))

# %% [markdown]
# Early stage and head, far apart before, reach about the same, and training everything is not far either. Had this
# been the only target, you could have concluded that the choice hardly matters. A comparison needs a target on which
# the answers can differ.

# %% [markdown]
# ## Can the choice be learnt?
#
# Lee et al. propose a rule that needs no training: compare the size of each stage's gradient with the size of its
# weights (relative gradient norm), and train where it is largest. **Do you expect it to find both answers?**

# %%
norms = relative_gradient_norms(sources[0], lesson05.target_task("relabelled").draw(10, seed).train)
print({name: round(value, 2) for name, value in norms.items()})

# %%
for trial in trials:
    chosen = lesson05.gradient_choice(trial, sources, seed)
    print(lesson05.said(lesson05.choice_cost(trial, chosen, "largest gradient"), trial.change))

# %% [markdown]
# It names the same stage for both, so it cannot be right twice. The rule looks at the network before it learns: it
# says where the loss is steep, not where the answer lies.
# The plain alternative costs more computing: train every candidate and ask the validation images.

# %%
for trial in trials:
    chosen = lesson05.validation_choice(trial)
    print(lesson05.said(lesson05.choice_cost(trial, chosen, "best on validation"), trial.change))

# %% [markdown]
# ## What was forgotten?
#
# A tuned network may no longer do its old work. **Which choice keeps most of the source's accuracy?**

# %%
forgotten = lesson05.forgetting(trials[0], sources)
display(lesson05.forgetting_card(forgotten, "inverted"))

# %% [markdown]
# An early stage that has learnt to read inverted digits can hardly read the others any more: on this target, what
# adapts best also forgets a lot. But the frozen body of "head alone" is
# unchanged: with the old head put back, nothing is lost at all. Tuned stages have no such way back, unless you keep
# a copy. A network that has to serve both problems is therefore best given two heads on one frozen body, or two
# copies; training on both sets of images at once is the third way.

# %% [markdown]
# ## Your images: in which order, and how fast?
#
# From here on everything runs on `task` with `backbone`. To use your own images, a folder with a folder for each
# class:
#
# `transferlab course run 05 -p task=path/to/images`
#
# A new head starts at random. If all stages learn at once, its first large errors flow down and change features that
# were good (Kumar et al. 2022). The remedy is to fit the head first, on frozen features. Slower rates for lower
# stages and unfreezing from the top, stage after stage, have the same aim (Howard and Ruder 2018).
#
# There is a snag. The head was fitted on features that BatchNorm normalised with the *source's* statistics. In train
# mode it switches to those of each *batch*, and the fitted head meets features that it has never seen. So all ways
# below keep the source's statistics while tuning, but for "batch statistics", which is head first without that care.
# **Which way moves the features of new images most? Which loses what the fitted head had?**

# %%
own = load_task(task)
per_class = min(10, own.labels_available)
tuning = lesson05.tuning_trial(
    own,
    backbone,
    seeds=range(seed, seed + seeds),
    labels_per_class=per_class,
    epochs=by_profile(profile, smoke=3, lesson=15, report=15),
    device=device,
)
display(lesson05.tuning_card(tuning, own.name))

# %%
for line in lesson05.tuning_sentences(tuning):
    print(line)

# %% [markdown]
# A random head moves features further than a fitted one, and on the digits it is behind after the same epochs. So
# is "batch statistics": fitting the head first pays only if BatchNorm lets the features be. Slower rates and gradual
# unfreezing have to prove their use on each task. Read an interval that holds zero as "not told apart here", not as
# "equal".

# %% [markdown]
# ## The loop by hand
#
# Nothing above is magic. The folded cell writes it in plain PyTorch: fit the head, freeze all but the last stage,
# train, with the same schedule. It ends by comparing its answers with those of `FineTuning`. Look for three lines
# in it: the one that turns the head for standardised features into a head for features as they are, the one
# that keeps the frozen stages out of train mode, and the one that sets the learning rate anew at every step.

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
for step in range(steps := 10):
    model.layer4.train()  # the only BatchNorm that may move
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
# ## BatchNorm's trap
#
# `requires_grad = False` stops the optimizer, but not BatchNorm: in train mode it keeps averaging whatever passes.
# Accuracy often hides it. A hash of all weights and buffers does not. **Is the hash below the same?**

# %% tags=["nbval-check-output"]
trap = net.trainable_copy(0).requires_grad_(False)
x = net.preprocess(digits.images[:64])
cached, hash_before = trap.eval()(x), state_hash(trap)
trap.train()(x)  # one pass "frozen", without an optimizer
print("nothing learns:", not any(p.requires_grad for p in trap.parameters()))
print("state unchanged:", state_hash(trap) == hash_before)

# %% [markdown]
# So activations that were computed once, because the stages are frozen, no longer fit the network that goes on
# training above them:

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
# ## Exercise (10 minutes, required)
#
# Only `layer4` of this network should learn. The stub freezes the rest for the optimizer alone. Change it so that
# the hash of `layer1` survives a pass in train mode, while `layer4` is in train mode. The cell prints both facts.

# %% tags=["exercise"]
mine = net.trainable_copy(0).requires_grad_(False)
mine.layer4.requires_grad_(True)
kept = state_hash(mine.layer1)
mine.train()
mine(x)
print("layer1 kept:", state_hash(mine.layer1) == kept, "  layer4 trains:", mine.layer4.training)

# %% tags=["solution"]
mine = net.trainable_copy(0).requires_grad_(False)
mine.layer4.requires_grad_(True)
kept = state_hash(mine.layer1)
mine.eval()
mine.layer4.train()
mine(x)
print("layer1 kept:", state_hash(mine.layer1) == kept, "  layer4 trains:", mine.layer4.training)

# %% [markdown]
# ## Exercise (optional)
#
# Is one stage too few for inverted digits? Train two early stages together and compare their validation accuracy
# with that of `layer1` alone. Why is the test not the place to try this out?

# %% tags=["exercise"]
few_inverted = lesson05.target_task("inverted").draw(10, seed)
pair = SurgicalFineTuning(sources[0], stages=["layer1"], epochs=epochs, device=device, random_state=seed)
print(pair.fit(few_inverted.train).score(few_inverted.validation))

# %% tags=["solution"]
few_inverted = lesson05.target_task("inverted").draw(10, seed)
for stages in (["layer1"], ["stem", "layer1"]):
    pair = SurgicalFineTuning(sources[0], stages=stages, epochs=epochs, device=device, random_state=seed)
    print(stages, pair.fit(few_inverted.train).score(few_inverted.validation))

# %% [markdown]
# With so few validation images the two are rarely told apart. The test would tell them apart better, but a choice
# made on it spoils it as a measure of what was chosen.

# %% [markdown]
# ## What would change this conclusion?
#
# A change of look that no early stage can undo (a new kind of camera *and* new objects) would take the early stage's
# lead away. So would many labels: with enough of them everything can train. Other rates or more epochs move
# single numbers; the order of early stage and head on these two targets held for all seeds that we tried. These
# digits are simple and the networks small, so take the *question* with you, not the stage's name.
#
# ## Take with you
#
# 1. Ask what changed. Look of the images: try early stages. Names only: the head. Unsure: validation images.
# 2. Fit the head before you tune what lies below it, and keep BatchNorm's statistics while you do.
# 3. Frozen means eval mode as well as no gradient. A hash proves it.
#
# ## References
#
# - Howard, J. and Ruder, S. (2018). Universal language model fine-tuning for text classification. ACL.
# - Kumar, A. et al. (2022). Fine-tuning can distort pretrained features and underperform out-of-distribution. ICLR.
# - Lee, Y. et al. (2023). Surgical fine-tuning improves adaptation to distribution shifts. ICLR.
