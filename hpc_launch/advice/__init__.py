"""What would mend a refusal: the smallest change that fits, and queues that would take the run."""
