"""Who we talk to: one outside thing a file; its errors become ours here."""
