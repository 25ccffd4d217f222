"""A miniature but real world: a few dozen texts, label files, and a tiny real encoder."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence
from pathlib import Path

from flows.init import make_workspace
from tasks.core.settings.params import load_params, render_params

TOPICS = {
    "delivery": [
        "the parcel is late again",
        "no courier came to my door",
        "the box went elsewhere",
    ],
    "refund": ["please pay my money back", "the refund never arrived", "i returned it for credit"],
    "account": [
        "my password is not accepted",
        "i cannot log in any more",
        "the login page is broken",
    ],
}
MOODS = {
    "angry": ["this is outrageous", "i am furious", "what a disgrace", "you make me sick"],
    "glad": ["thank you so much", "you are lovely", "i am so happy", "what a delight"],
}
CHANNELS = ("email", "chat", "phone")


def documents() -> list[dict[str, str]]:
    """Return 72 texts in which topic and mood vary independently."""
    rows = []
    for topic, mood in itertools.product(TOPICS, MOODS):
        for n, (what, how) in enumerate(itertools.product(TOPICS[topic], MOODS[mood])):
            text = f"{what}, {how}" if n % 2 else f"{how}, {what}"
            rows.append({"text": text, "topic": topic, "mood": mood})
    return [
        {"id": f"t{n:02}", "channel": CHANNELS[n % 3], "stars": str(n % 5), **row}
        for n, row in enumerate(rows)
    ]


def write_csv(path: Path, rows: list[dict[str, str]], columns: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_labels(root: Path, aspect: str, rows: list[dict[str, str]]) -> Path:
    labelled = [{"id": row["id"], "label": row[aspect]} for row in rows]
    return write_csv(root / "data" / "labels" / f"{aspect}.csv", labelled, ["id", "label"])


def write_documents(root: Path, rows: list[dict[str, str]]) -> Path:
    columns = ["id", "text", "channel", "stars"]
    return write_csv(root / "data" / "raw" / "messages.csv", rows, columns)


def make_world(root: Path, model: str, *, git: bool = False, method: str = "discriminant") -> Path:
    """Make a workspace with documents, two label files, and the encoder at `model`.

    method: of the fit. `auto`, what users get, asks five experts: half of all a run has to do.
    """
    make_workspace(root, git=git)
    embed = {"model": model, "chunk": 16, "precision": "float32"}
    set_params(root, embed=embed, fit={"method": method}, serve={"explore_port": None})
    rows = documents()
    write_documents(root, rows)
    write_labels(root, "topic", [row for n, row in enumerate(rows) if n % 3 != 1])
    write_labels(root, "mood", [row for n, row in enumerate(rows) if n % 3 != 2])
    return root


def set_params(root: Path, **sections: dict[str, object]) -> None:
    """Change keys of params.yaml."""
    path = root / "params.yaml"
    params = load_params(path)
    changed = {
        name: getattr(params, name).model_copy(update=values) for name, values in sections.items()
    }
    path.write_text(render_params(params.model_copy(update=changed)), "utf-8")


def make_model(
    folder: Path, dimensions: int = 48, seed: int = 7, words: Sequence[str] = ()
) -> Path:
    """Save a real sentence-transformers model that averages one seeded vector per word.

    words: those it knows; by default those of `documents`.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    own = {word for row in documents() for word in row["text"].replace(",", " ").split()}
    vocabulary = {word: n for n, word in enumerate(["[UNK]", ",", *(words or sorted(own))])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    generator = torch.Generator().manual_seed(seed)
    weights = torch.randn(len(vocabulary), dimensions, generator=generator)
    module = StaticEmbedding(tokenizer, embedding_weights=weights)
    SentenceTransformer(modules=[module], device="cpu").save_pretrained(str(folder))
    return folder


def make_layered_model(folder: Path, seed: int = 7) -> Path:
    """Save a real transformer of three layers with random weights, 32 dimensions wide."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder.mkdir(parents=True)
    words = sorted({word for row in documents() for word in row["text"].replace(",", " ").split()})
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ",", *words]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", "utf-8")
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder / "bert")
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder / "bert")
    encoder = Transformer(str(folder / "bert"), max_seq_length=64)
    pooling = Pooling(encoder.get_embedding_dimension())
    model = SentenceTransformer(modules=[encoder, pooling], device="cpu")
    model.save_pretrained(str(folder / "model"))
    return folder / "model"
