#!/usr/bin/env python3
"""A whole training step of KECI in PyTorch, the peer of `keci bench train`: the same sizes, the same operations.

    keci bench train --encoder encoders/minilm-l6
    python3 scripts/bench_torch_train.py --encoder encoders/minilm-l6            # or --random 12x768, --device cuda

Encoder, span vectors, pruning, pair scorers, both graph convolutions, fusion, final heads, losses, backward, clipping
and AdamW, on tensors of random content. The defaults of the sizes are what `keci bench train` lays out (its "inputs";
variant no-kge); a linear layer over joined parts is applied to the parts, as keci does. Needs torch and transformers.
It prints JSON; run both in turn on the same machine. "processorMs" is the time of all processors.
"""

import argparse
import json
import os
import platform
import statistics
import time

import torch
import transformers
from torch import nn
from torch.nn import functional as F

SPAN_HIDDEN, SPAN, HIDDEN, WIDTHS, NODE, BASES, NAME = 1000, 512, 500, 14, 256, 4, 8
TYPES, LABELS, KINDS, RELATIONS = 3, 3, 40, 40


class Scorer(nn.Module):
    """Two hidden layers."""

    def __init__(self, size, classes):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(size, HIDDEN), nn.ReLU(), nn.Dropout(0.2), nn.Linear(HIDDEN, HIDDEN),
                                    nn.ReLU(), nn.Dropout(0.2), nn.Linear(HIDDEN, classes))

    def forward(self, x):
        return self.layers(x)


class PairScorer(nn.Module):
    """[x_i ; x_j ; x_i∘x_j] with the first layer applied to the parts, and what stands between."""

    def __init__(self, size, width):
        super().__init__()
        self.attention, self.value = nn.Linear(width, 1), nn.Linear(width, HIDDEN)
        self.left = nn.Linear(size, HIDDEN)
        self.right = nn.Linear(size, HIDDEN, bias=False)
        self.product = nn.Linear(size, HIDDEN, bias=False)
        self.rest = nn.Sequential(nn.ReLU(), nn.Dropout(0.2), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Dropout(0.2),
                                  nn.Linear(HIDDEN, LABELS))

    def between(self, tokens, first, last):
        rows = torch.arange(tokens.shape[0], device=tokens.device).unsqueeze(1)
        weight = (3 * torch.tanh(self.attention(tokens))).exp()
        value = torch.cat([weight * self.value(tokens), weight], -1)
        up_to = value.cumsum(1)
        begin, end = (up_to - value)[rows, first], up_to[rows, last]
        precedes = (last.unsqueeze(2) < first.unsqueeze(1)).unsqueeze(-1)
        gap = precedes * (begin.unsqueeze(1) - end.unsqueeze(2))
        gap = gap + gap.transpose(1, 2)
        return gap[..., :-1] / gap[..., -1:].clamp_min(0.01)

    def forward(self, x, tokens, first, last):
        product = self.product(x.unsqueeze(2) * x.unsqueeze(1))
        sides = self.left(x).unsqueeze(2) + self.right(x).unsqueeze(1)
        return self.rest(product + sides + self.between(tokens, first, last))


class SpanGraph(nn.Module):
    """One layer of the bidirectional graph convolution."""

    def __init__(self):
        super().__init__()
        self.forth, self.back = nn.Linear(SPAN, LABELS * SPAN // 2), nn.Linear(SPAN, LABELS * SPAN // 2)
        self.out = nn.Linear(SPAN, SPAN)

    def forward(self, h, r):
        b, m, _ = h.shape
        messages = []
        for layer, weights in ((self.back, r.transpose(1, 2)), (self.forth, r)):
            said = layer(h).view(b, m, LABELS, SPAN // 2)
            messages.append(F.dropout(torch.einsum("bijk,bjkd->bkid", weights, said), 0.1).sum(1))
        return h + self.out(F.relu(F.layer_norm(torch.cat(messages, -1), (SPAN,))))


class NodeGraph(nn.Module):
    """One layer of the relational graph convolution with basis decomposition."""

    def __init__(self):
        super().__init__()
        self.self_loop = nn.Linear(NODE, NODE)
        self.bases = nn.Linear(BASES * NODE, NODE, bias=False)
        self.coefficients = nn.Parameter(torch.randn(RELATIONS, BASES) * 0.5)

    def forward(self, v, edges):
        at, kind, norm = edges
        b, n, _ = v.shape
        adjacency = torch.zeros(b * n * n, BASES, device=v.device).index_add(0, at, self.coefficients[kind] * norm.unsqueeze(-1))
        adjacency = adjacency.view(b, n, n, BASES).permute(0, 3, 1, 2).reshape(b, BASES * n, n)
        gathered = (adjacency @ v).view(b, BASES, n, NODE).transpose(1, 2).reshape(b, n, BASES * NODE)
        return F.dropout(F.relu(self.self_loop(v) + self.bases(gathered)), 0.1)


class KECI(nn.Module):
    def __init__(self, bert):
        super().__init__()
        self.bert = bert
        h = bert.config.hidden_size
        self.start, self.end, self.inner = (nn.Linear(h, SPAN_HIDDEN, bias=bias) for bias in (True, False, False))
        self.head = nn.Linear(h, 1)
        self.widths = nn.Embedding(WIDTHS, 20)
        self.width = nn.Linear(20, SPAN_HIDDEN, bias=False)
        self.span = nn.Linear(SPAN_HIDDEN, SPAN)
        self.types, self.pairs = Scorer(SPAN, TYPES), PairScorer(SPAN, h)
        self.span_graph = nn.ModuleList(SpanGraph() for _ in range(2))
        self.name, self.definition = nn.Linear(h, NODE), nn.Linear(h, NODE)
        self.kinds = nn.Embedding(KINDS, NODE)
        self.undefined = nn.Parameter(torch.randn(NODE) * 0.1)
        self.node_graph = nn.ModuleList(NodeGraph() for _ in range(3))
        self.node = nn.Linear(NODE, SPAN)
        self.sentinel = nn.Linear(SPAN, SPAN)
        self.of_span, self.of_item = nn.Linear(SPAN, HIDDEN), nn.Linear(SPAN, HIDDEN, bias=False)
        self.relevance = nn.Sequential(nn.ReLU(), nn.Dropout(0.2), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Dropout(0.2),
                                       nn.Linear(HIDDEN, 1))
        self.final_types, self.final_pairs = Scorer(2 * SPAN, TYPES), PairScorer(2 * SPAN, h)

    def spans(self, x, batch):
        rows = torch.arange(x.shape[0], device=x.device).unsqueeze(1)
        attention = (self.head(x).transpose(1, 2) + batch["bias"]).softmax(-1)
        hidden = self.start(x)[rows, batch["first"]] + self.end(x)[rows, batch["last"]] + attention @ self.inner(x)
        hidden = hidden + self.width(self.widths.weight)[batch["width"]]
        return F.relu(self.span(F.dropout(F.relu(hidden), 0.2)))

    def nodes(self, batch):
        words = (self.bert.embeddings.word_embeddings.weight[batch["names"]].detach() * batch["name_weight"].unsqueeze(-1)).sum(2)
        defined = batch["defined"].unsqueeze(-1)
        v = self.name(words * 10) + self.kinds(batch["kind"]) + self.definition(batch["definition"]) * defined + (1 - defined) * self.undefined
        v = F.relu(v)
        for layer in self.node_graph:
            v = layer(v, batch["edges"])
        return F.relu(self.node(v)).flatten(0, 1)

    def forward(self, batch, kept):
        rows = torch.arange(batch["ids"].shape[0], device=batch["ids"].device).unsqueeze(1)
        x = self.bert(batch["ids"], attention_mask=batch["mask"]).last_hidden_state[:, 1:-1]
        s = self.spans(x, batch)
        types = self.types(s)
        keep = types.detach().softmax(-1)[..., 0].topk(kept, largest=False).indices
        s, place = s[rows, keep], (batch["first"][rows, keep], batch["last"][rows, keep])
        pairs = self.pairs(s, x, *place)
        r = pairs.detach().softmax(-1) * (1 - torch.eye(kept, device=s.device)).unsqueeze(-1)
        h = s
        for layer in self.span_graph:
            h = layer(h, r)
        items = torch.cat([F.relu(self.sentinel(h)).unsqueeze(2), self.nodes(batch)[batch["candidates"][rows, keep]]], 2)
        alpha = self.relevance(self.of_item(items) + self.of_span(h).unsqueeze(2)).squeeze(-1)
        absent = F.pad(1 - batch["candidate_mask"][rows, keep], (1, 0))
        beta = (alpha - 1e9 * absent).softmax(-1)
        final = torch.cat([(beta.unsqueeze(2) @ items).squeeze(2), h], -1)
        final_types, final_pairs = self.final_types(final), self.final_pairs(final, x, *place)
        kept_labels, pair_labels = batch["labels"][rows, keep], batch["pair_labels"]
        return (cross_entropy(types, batch["labels"]) + cross_entropy(pairs, pair_labels)
                + 2 * (cross_entropy(final_types, kept_labels) + cross_entropy(final_pairs, pair_labels)))


def cross_entropy(logits, labels):
    return F.cross_entropy(logits.flatten(0, -2), labels.flatten())


def random_batch(a, config, kept):
    pieces = a.length - 2
    b, n, v = a.batch, a.spans, a.nodes
    first = torch.randint(0, pieces - WIDTHS, (b, n))
    width = torch.randint(0, WIDTHS, (b, n))
    t = torch.arange(pieces)
    inside = (t >= first.unsqueeze(-1)) & (t <= (first + width).unsqueeze(-1))
    return {
        "ids": torch.randint(1000, config.vocab_size, (b, a.length)), "mask": torch.ones(b, a.length, dtype=torch.long),
        "first": first, "last": first + width, "width": width, "bias": torch.where(inside, 0.0, -1e9),
        "names": torch.randint(1000, config.vocab_size, (b, v, NAME)), "name_weight": torch.full((b, v, NAME), 1 / NAME),
        "kind": torch.randint(0, KINDS, (b, v)), "definition": torch.randn(b, v, config.hidden_size),
        "defined": torch.randint(0, 2, (b, v)).float(),
        "edges": (torch.randint(0, b * v * v, (a.edges,)), torch.randint(0, RELATIONS, (a.edges,)), torch.rand(a.edges)),
        "candidates": torch.randint(0, b * v, (b, n, 4)), "candidate_mask": torch.randint(0, 2, (b, n, 4)).float(),
        "labels": torch.randint(0, TYPES, (b, n)), "pair_labels": torch.randint(0, LABELS, (b, kept, kept)),
    }


def optimizer(model):
    """AdamW on the encoder's matrices, Adam on the rest; the table of word pieces stays as it is."""
    model.bert.embeddings.word_embeddings.weight.requires_grad_(False)
    encoder = [p for p in model.bert.parameters() if p.requires_grad]
    rest = [p for name, p in model.named_parameters() if not name.startswith("bert.")]
    return torch.optim.AdamW([
        {"params": [p for p in encoder if p.ndim > 1], "lr": 2e-4, "weight_decay": 0.01},
        {"params": [p for p in encoder if p.ndim < 2], "lr": 2e-4, "weight_decay": 0},
        {"params": rest, "lr": 5e-4, "weight_decay": 0},
    ], betas=(0.9, 0.999), eps=1e-6)


def measure(model, batch, kept, a):
    update = optimizer(model)
    times, busy = [], 0.0
    for i in range(3 + a.steps):
        if i == 3:
            busy = time.process_time()
        start = time.perf_counter()
        update.zero_grad()
        loss = model(batch, kept)
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in model.parameters() if p.grad is not None], 1.0)
        update.step()
        loss.item()  # waits for a GPU
        if i >= 3:
            times.append((time.perf_counter() - start) * 1000)
    return times, (time.process_time() - busy) * 1000 / a.steps


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", help="Hugging Face folder of the encoder")
    parser.add_argument("--random", help="in its place, LAYERSxWIDTH with random weights")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--tf32", action="store_true", help="on a GPU: products of matrices with TF32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20)
    for name, default in (("batch", 8), ("length", 64), ("spans", 384), ("nodes", 64), ("edges", 8192)):
        parser.add_argument("--" + name, type=int, default=default)
    a = parser.parse_args()
    if (a.encoder is None) == (a.random is None):
        parser.error("one of --encoder and --random is needed")

    transformers.logging.set_verbosity_error()  # that the pooler is not used
    torch.set_num_threads(a.threads)
    torch.backends.cuda.matmul.allow_tf32 = a.tf32
    if a.encoder:
        bert = transformers.BertModel.from_pretrained(a.encoder, add_pooling_layer=False)
    else:
        layers, width = map(int, a.random.split("x"))
        bert = transformers.BertModel(transformers.BertConfig(
            hidden_size=width, num_hidden_layers=layers, num_attention_heads=width // 64, intermediate_size=4 * width), add_pooling_layer=False)
    kept = -(-3 * (a.length - 2) // 10)
    model = KECI(bert).train().to(a.device)
    batch = {name: tuple(x.to(a.device) for x in t) if isinstance(t, tuple) else t.to(a.device)
             for name, t in random_batch(a, bert.config, kept).items()}
    times, busy = measure(model, batch, kept, a)
    print(json.dumps({
        "machine": {"platform": platform.platform(), "cpus": os.cpu_count(), "threads": a.threads, "device": a.device, "tf32": a.tf32},
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__},
        "parameters": sum(p.numel() for p in model.parameters()), "texts": a.batch,
        "step": {"runs": len(times), "medianMs": round(statistics.median(times), 2), "minMs": round(min(times), 2)},
        "processorMs": round(busy, 2), "stepsPerSecond": round(1000 / statistics.median(times), 3),
    }, indent=2))


if __name__ == "__main__":
    main()
