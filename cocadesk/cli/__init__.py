"""The command line: a composition root that wires rooms and prints, and computes nothing.

Heavy modules are imported inside the commands, so that ``cocadesk --help`` stays quick.
"""
