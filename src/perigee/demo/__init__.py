"""The demo: Perigee's main job on real orders, through the public API, checked figure by figure.

`purchases` and `people` make the input, `expected` works the figures out in plain Python, `story` does the job with
the client, `reactions` plays the recipients, `figures` compares. `run` puts it into a home folder of its own.
"""
