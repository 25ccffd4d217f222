"""What runs by itself: deployments, the label watcher, flow runs."""
