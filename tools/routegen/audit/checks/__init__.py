"""What can be wrong with a deployment: pure functions from AWS's answers to findings."""
