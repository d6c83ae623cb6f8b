"""Fault runs: a campaign to 20,000 people while its processes, its database, its mail server or the clock go wrong.

    python -m bench.faults [SCENARIO …] [--recipients 20000] [--seed 7]

Whatever happens, the books must be exact: chosen = sent + failed + dropped + uncertain, nobody missing, nobody doubled,
no uncertain message that is not explained by a death or a lost answer, "finished" only when it is true. Everything runs
in real processes; what arrived is known from a recording mail server that writes down before it answers. The books are
read straight from the tables (`account.py`), by nothing of what wrote them.

`tests/test_faults.py` runs the same with fewer people.
"""
