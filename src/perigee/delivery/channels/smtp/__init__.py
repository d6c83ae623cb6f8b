"""Email over SMTP: our own pipelining client, because no library pipelines (docs: protocols, SMTP)."""
