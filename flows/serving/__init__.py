"""`refract serve`: what runs by itself, by the clock or when a label file changes.

watch_labels: notices a label file that appears, changes or vanishes. label_runs: the flow that this
starts. served_flows: the flows by the clock. deployments, backlog, fork_server: how they are run.
explore_beside: the workspace in a browser, meanwhile.
"""
