"""A small lesson that keeps the contract, for tests to break."""

LESSON = """# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 99 A lesson
# Your own folder: `transferlab course run 99 -p task=path/to/images`

# %% tags=["parameters"]
task: str = "digits"
backbone: str = "tiny"
device: str = "auto"
profile: str = "lesson"
seed: int = 0

# %% tags=["nbval-check-output"]
from transferlab.course import by_profile, chosen_profile
profile = chosen_profile(profile)
print("the same in every profile")

# %%
print(by_profile(profile, smoke="SMOKE", lesson="LESSON", report="REPORT"), seed)

# %% tags=["nbval-check-output"]
print(2 + 2)

# %% tags=["nbval-check-output"]
print("three")

# %% tags=["nbval-check-output"]
print("four")

# %% tags=["nbval-check-output"]
len("seven..")

# %% [markdown]
# Exercise: double it.

# %% tags=["exercise"]
answer = None

# %% tags=["solution"]
answer = 2 * 21
print("solved", answer)

# %% jupyter={"source_hidden": true} tags=["plain-pytorch"]
print("plain")
"""
