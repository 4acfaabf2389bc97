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
# # Transfer report
#
# Which network to start from, what to freeze, and how many labels are worth having, measured on your images.

# %% tags=["parameters"]
task: str = "materials"  # a bundled set, torchvision/NAME, a folder or a CSV file
backbones: list = ["tiny"]  # names of pretrained networks
labels_per_class: list = []  # label budgets; empty takes the profile's
profile: str = "lesson"  # smoke, lesson or report
device: str = "auto"  # auto, cpu or cuda
seeds: int = 0  # repetitions; 0 takes the profile's number
seed: int = 0  # the first of them
group_regex: str = ""  # its first capture group names what no split may straddle
mirror: str = ""  # folder with torchvision's data sets
command: str = ""  # the command line that asked for this
out: str = "."  # folder for results.json and model/

# %%
from IPython.display import HTML, display

from transferlab import viz
from transferlab.reports import close_look, results_file, source_scores, text
from transferlab.reports import evidence_text as evidence
from transferlab.reports import transfer_study as study

data = study.load_report_task(task, backbones, group_regex=group_regex, mirror=mirror)
HTML(text.summary(data, backbones))

# %% [markdown]
# ## The images

# %%
HTML(text.audit(data))

# %%
shown = data.draw(None, seed).train
display(viz.class_balance(results_file.class_counts(data)))
display(viz.examples(shown.images, shown.labels, shown.classes))

# %% [markdown]
# ## Which source?
#
# Your networks and the bundled ones, scored before anything is trained: one pass over a few labelled images, none
# of them from the test. This orders candidates for a next run; it does not choose for this one.

# %%
ranking = source_scores.rank_for_report(data, backbones, seed=seed, device=device)
display(source_scores.ranking_figure(ranking))
HTML(source_scores.ranking_html(ranking, backbones))

# %% [markdown]
# ## The recommendation
#
# Every method is fitted on the same label draws. Validation images choose; the test labels are still sealed.

# %%
plan = study.make_plan(
    data, backbones, profile=profile, labels_per_class=labels_per_class, seeds=seeds, seed=seed, device=device
)
fits = study.run(plan)
HTML(text.recommendation(plan, fits))

# %%
HTML(evidence.larger(task, backbones))

# %% [markdown]
# ## What the test says
#
# Now the seal is opened, once, for all models together. Seeds vary the label draw, the initial weights and
# the order of images; the test images stay. Intervals are 95 %.

# %%
opened = study.open_test(plan, fits)
rows = results_file.result_rows(plan, opened)
largest = [r for r in rows if r["labels_per_class"] == plan.budgets[-1]]
display(viz.arms(largest, chance=1 / len(data.classes)))

# %%
display(viz.learning_curves(rows))

# %%
HTML(text.comparisons(plan, fits, opened))

# %%
HTML(text.table(rows))

# %% [markdown]
# ## What labels are worth
#
# How many labels training from scratch needs to be as accurate, and what more labels would buy: an estimate.

# %%
look = close_look.close_look(plan, fits, opened)
HTML(evidence.labels_worth(plan, look))

# %%
display(viz.curve_estimate(look.estimate) if look.estimate else HTML(evidence.no_curve(plan)))

# %% [markdown]
# ## Which classes, which mistakes
#
# Recalls are of the recommended method over all seeds; the confusions and mistakes are those of one model, that
# of the first seed: the one in `model/`.

# %%
images_a_class = [int((look.truth == c).sum()) for c in range(len(data.classes))]
display(viz.recalls(look.recalls, data.classes, images_a_class))

# %%
display(viz.confusion(look.truth, look.probabilities[0], data.classes))

# %%
display(viz.worst_mistakes(data.test.images, look.truth, look.probabilities[0], data.classes))

# %% [markdown]
# ## Can its confidence be trusted?

# %%
display(viz.reliability(look.reliability))

# %%
display(viz.coverage(look.coverage))
HTML(evidence.threshold(look))

# %% [markdown]
# ## What could fool you
#
# A shortcut is whatever goes with the class in these images and not in the world. Labels in doubt are those
# that models which never saw the image contradict with confidence: look at them before you change any.

# %%
HTML(evidence.shortcuts(plan, fits, opened))

# %%
if look.suspects is None:
    display(HTML(evidence.no_suspects()))
else:
    n = len(look.labelled)
    display(
        viz.suspected_labels(look.labelled.images, look.suspects, data.classes, n, agreement=look.agreement)
    )

# %%
if look.explained is None:
    display(HTML(evidence.no_heat_maps()))
else:
    captions = evidence.heat_map_captions(look.explained, data.classes)
    finding = evidence.heat_map_finding(look.explained)
    display(viz.heat_maps(look.explained.images, look.explained.maps, captions, finding))

# %% [markdown]
# ## Size, speed, and how this was made

# %%
content = results_file.results(plan, fits, opened, look, command, ranking)
results_file.write_results(out, content)
results_file.write_model(out, plan, fits, look, content)
display(HTML(evidence.size(look, plan, content["environment"])))
HTML(evidence.made_with(content))
