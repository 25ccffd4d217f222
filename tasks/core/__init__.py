"""What the units know: corpus, labels, encoder, transforms, scores, store. No Prefect, no DVC."""
