"""An instruction becomes a label file, by a language model or by the encoder alone.

procedure: the steps; job: what they are given. clusters, taxonomy, sampling, zero_shot: what they
compute. prompts, questions: what a model is told. asking, llm: how it is called. ledger, purse,
forecast: what that costs. steps, label_file: what is left behind.
"""
