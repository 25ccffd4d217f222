"""A model that knows the truth, and what a labelling by it has come to."""

import json
from collections import Counter
from dataclasses import replace

from tasks.core.annotation import pipeline
from tasks.core.annotation.answer_cache import open_answer_cache
from tasks.core.labels.taxonomy import Label
from tests.endpoint import Oracle
from tests.labelling import PHRASES, N, truth

GIVEN = (Label("furious"), Label("happy"))


def oracle(error=0.0, more=None):
    return Oracle(truth(N) | (more or {}), error, PHRASES)


def spent(job):
    with open_answer_cache(job.answer_cache, job.name) as cache:
        return cache.spent()


def unlimited(job):
    """Return the job without a budget, as its user raises it in params.yaml."""
    raised = {"max_calls": None, "max_usd": None}
    return replace(job, settings=job.settings.model_copy(update=raised))


def asked_once(endpoint):
    """Tell whether no request was answered twice."""
    return max(Counter(json.dumps(body) for body in endpoint.answered).values()) == 1


def told(body):
    return body["messages"][1]["content"]


def renamed(endpoint):
    """Return how many clusters were to be named anew: words mean little to the tiny encoder."""
    return sum("none of them says" in told(body) for body in endpoint.requests)


def right(job):
    """Return the share of labels that are true."""
    texts = dict(zip((f"x{at}" for at in range(N)), truth(N).values(), strict=True))
    found = pipeline.labelled(job)
    return sum(texts[key] == label for key, label in found.items()) / len(found)
