"""Parametrized notebooks run from the command line: a task in, a folder with a report out.

Never decides on test labels: recommendations are made before the seal of the test is opened.
"""
