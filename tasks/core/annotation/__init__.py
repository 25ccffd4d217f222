"""An instruction becomes a label file, by a language model or by the encoder alone.

pipeline, naming: the steps; job: what they are given. sampling, clustering, evident, taxonomy,
zero_shot: what they compute. prompts, prompting: what a model is told. requests: how it is asked.
answer_cache, budget, cost_estimate: what that costs, and that nothing is paid for twice.
step_results, output: what is left behind.
"""
