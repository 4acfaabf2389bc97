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
out: str = "."  # folder for results.json and model/

# %%
from IPython.display import HTML, display

from transferlab import viz
from transferlab.reports import text
from transferlab.reports import transfer_study as study

data = study.load_report_task(task, backbones, group_regex=group_regex, mirror=mirror)
HTML(text.summary(data, backbones))

# %% [markdown]
# ## The images

# %%
HTML(text.audit(data))

# %%
shown = data.draw(None, seed).train
display(viz.class_balance(study.class_counts(data)))
display(viz.examples(shown.images, shown.labels, shown.classes))

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

# %% [markdown]
# ## What the test says
#
# Now the seal is opened, once, for all models together. Seeds vary the label draw, the initial weights and
# the order of images; the test images stay. Intervals are 95 %.

# %%
evaluations = study.open_test(plan, fits)
content = study.results(plan, fits, evaluations)
rows = content["results"]
largest = [r for r in rows if r["labels_per_class"] == plan.budgets[-1]]
display(viz.arms(largest, chance=1 / len(data.classes)))

# %%
display(viz.learning_curves(rows))

# %%
HTML(text.comparisons(plan, fits, evaluations))

# %%
HTML(text.table(rows))

# %% [markdown]
# ## The recommended model, looked at closely
#
# One model, that of the first seed: the one in `model/`.

# %%
chosen = fits.recommendation
evaluation = evaluations[chosen.fitted]
answers = evaluation.probabilities[chosen.arm.name][0]
display(viz.confusion(evaluation.truth, answers, data.classes))

# %%
display(viz.worst_mistakes(data.test.images, evaluation.truth, answers, data.classes))

# %%
study.write_results(out, content)
study.write_model(out, plan, fits, content)
HTML(text.closing(content))
