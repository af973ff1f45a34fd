"""The decoder pool: disposable worker processes with limits."""
