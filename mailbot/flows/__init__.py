"""What happens: one file, one thing that happens. Flows open the transactions."""
