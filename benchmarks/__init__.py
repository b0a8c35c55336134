"""What is measured: ratios beside a peer or a limit in the same run, never seconds alone."""
