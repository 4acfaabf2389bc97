"""The one training loop, freezing, augmentation and the boundary cache.

Arrays and modules in, trained modules and a history out. Never a data set's name, never a test label.
"""
