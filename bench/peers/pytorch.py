"""PyTorch: pytorch.py CASE THREADS eager|compile, with its fastest optimizers: the fused ones where there are such."""
import json
import os
import struct
import sys
import time


def say(message):
    print(json.dumps(message), flush=True)


def absent(reason):
    say({"absent": str(reason).split("\n")[0]})
    sys.exit(0)


path, threads, mode = sys.argv[1], int(sys.argv[2]), sys.argv[3]
# The library of products below it reads its own when it is loaded; torch.set_num_threads does not reach all of them.
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = str(threads)
try:
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
except ImportError as error:
    absent(f"{sys.executable}: {error}")

torch.set_num_threads(threads)


def read(path):
    raw = open(path, "rb").read()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    about = header.pop("__metadata__")
    kinds = {"F32": torch.float32, "I32": torch.int32}
    tensors = {}
    for name, entry in header.items():
        start, end = (8 + length + at for at in entry["data_offsets"])
        flat = torch.frombuffer(bytearray(raw[start:end]), dtype=kinds[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"]).clone()
    return about, tensors


class Norm(nn.Module):
    """LayerNorm with or without a bias, which versions before 2.1 cannot leave out."""

    def __init__(self, width, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if bias else None

    def forward(self, x):
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias)


def attend(q, k, v):
    if hasattr(F, "scaled_dot_product_attention"):
        return F.scaled_dot_product_attention(q, k, v, is_causal=True)
    time_ = q.shape[-2]
    hidden = torch.ones(time_, time_, dtype=torch.bool).triu(1)
    scores = (q @ k.transpose(-2, -1)) / q.shape[-1] ** 0.5
    return scores.masked_fill(hidden, float("-inf")).softmax(-1) @ v


class Block(nn.Module):
    def __init__(self, width, heads, bias):
        super().__init__()
        self.heads, self.gelu = heads, "tanh" if bias else "none"
        self.ln1, self.ln2 = Norm(width, bias), Norm(width, bias)
        self.qkv = nn.Linear(width, 3 * width, bias=bias)
        self.proj = nn.Linear(width, width, bias=bias)
        self.fc = nn.Linear(width, 4 * width, bias=bias)
        self.out = nn.Linear(4 * width, width, bias=bias)

    def forward(self, x):
        batch, time_, width = x.shape
        parts = self.qkv(self.ln1(x)).split(width, dim=2)
        q, k, v = (t.view(batch, time_, self.heads, width // self.heads).transpose(1, 2) for t in parts)
        seen = attend(q, k, v)
        x = x + self.proj(seen.transpose(1, 2).reshape(batch, time_, width))
        return x + self.out(F.gelu(self.fc(self.ln2(x)), approximate=self.gelu))


class GPT(nn.Module):
    def __init__(self, vocab, time_, layers, heads, width, bias):
        super().__init__()
        self.te, self.pe = nn.Embedding(vocab, width), nn.Embedding(time_, width)
        self.b = nn.Sequential(*[Block(width, heads, bias) for _ in range(layers)])
        self.ln = Norm(width, bias)

    def forward(self, ids):
        x = self.ln(self.b(self.te(ids) + self.pe.weight))
        return F.linear(x, self.te.weight).flatten(0, 1)


class Reader(nn.Module):
    def __init__(self):
        super().__init__()
        self.l, self.f = nn.LSTM(128, 128, batch_first=True), nn.Linear(128, 10)

    def forward(self, x):
        return self.f(self.l(x)[0][:, -1])


def dense(sizes, act):
    layers = []
    for i, (inputs, out) in enumerate(zip(sizes, sizes[1:])):
        layers += [nn.Linear(inputs, out)] + ([act()] if i < len(sizes) - 2 else [])
    return nn.Sequential(*layers)


def cnn():
    conv = lambda i, o: [nn.Conv2d(i, o, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*conv(1, 16), *conv(16, 32), nn.Flatten(), nn.Linear(1568, 128), nn.ReLU(), nn.Linear(128, 10))


nets = {
    "xor": lambda: dense([2, 8, 1], nn.Tanh),
    "mlp": lambda: dense([784, 512, 512, 10], nn.ReLU),
    "digits": lambda: dense([784, 128, 10], nn.ReLU),
    "cnn": cnn,
    "gpt": lambda: GPT(65, 64, 4, 4, 128, False),
    "lstm": Reader,
    "gpt2": lambda: GPT(50257, 256, 4, 12, 768, True),
}
about, tensors = read(path)
rule, batches = json.loads(about["rule"]), int(about["batches"])
net = nets[about["name"]]()
net.load_state_dict({k: v for k, v in tensors.items() if not k.startswith(("x.", "y."))})
kinds = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
# The fused optimizers run on the CPU from 2.4 on; before, the default is the fastest there is.
try:
    optimizer, way = kinds[rule["name"]](net.parameters(), lr=rule["lr"], fused=True), "fused"
except (TypeError, RuntimeError):
    optimizer, way = kinds[rule["name"]](net.parameters(), lr=rule["lr"]), "default optimizer"
regression = about["name"] == "xor"


def pair(i):
    x, y = tensors[f"x.{i}"], tensors[f"y.{i}"]
    return (x if x.is_floating_point() else x.long()), (y if regression else y.long().flatten())


data = [pair(i) for i in range(batches)]
forward = lambda x, y: F.mse_loss(net(x), y) if regression else F.cross_entropy(net(x), y)
if mode == "compile":
    if not hasattr(torch, "compile"):
        absent(f"PyTorch {torch.__version__} has no torch.compile")
    forward = torch.compile(forward)


def step(i):
    optimizer.zero_grad(set_to_none=True)
    loss = forward(*data[i % batches])
    loss.backward()
    optimizer.step()
    return loss


at = 0
say({"ready": True, "version": f"{torch.__version__}, {way}"})
for line in sys.stdin:
    ask = json.loads(line)
    start = time.perf_counter()
    losses = []
    for i in range(ask.get("losses", ask.get("run"))):
        loss = step(at)
        at += 1
        if "losses" in ask:
            losses.append(loss.item())
    loss.item()
    say({"losses": losses} if "losses" in ask else {"ms": 1000 * (time.perf_counter() - start)})
