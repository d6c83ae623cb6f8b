"""The Velocity 1.7 language of eSputnik's templates, as a safe subset (TRACKING 8.2; docs/reference/velocity.md).

`scan` finds the code in a source, `parse` makes the tree, `expressions` and `directives` are its nodes, `run` is one
person's evaluation, `methods` and `tools` are all that templates can call. Nothing is reached by a Python attribute:
every method is an entry of a table, so there is no way from a value to the interpreter. The engine itself is
`engine.Velocity`; `choose` says which messages of the old wire are written in this language.

An interpreter of our own, since the one known to Python reads attributes by `getattr`, knows neither `#break` nor
limits, and parses nested lists in exponential time.
"""
