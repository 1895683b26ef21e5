"""What the paper proposes and compares with: greedy subchannels, bcd, the baselines."""
