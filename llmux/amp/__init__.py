"""What Amp needs: a control plane of our own, and the rules for talking to the real one."""
