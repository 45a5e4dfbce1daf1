"""python3 peer.py FOLDER: loads what nabla saved into PyTorch and transformers and compares outputs, then saves models of their
own for nabla to load. Needs torch; the language models need transformers. The last line is JSON: for each model the largest
difference of outputs, or why it was left out.
"""
import json
import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from files import read, write

TYPES = {"F64": torch.float64, "F32": torch.float32, "I64": torch.int64, "I32": torch.int32}
NAMES = {dtype: name for name, dtype in TYPES.items()}


def load(path):
    return {name: torch.tensor(x, dtype=TYPES[dtype]).reshape(shape) for name, (dtype, shape, x) in read(path).items()}


def save(path, tensors):
    write(path, {name: (NAMES[x.dtype], list(x.shape), x.detach().flatten().tolist()) for name, x in tensors.items()})


def mlp():
    return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(64, 5)
    )


class Lstm(nn.LSTM):
    def __init__(self):
        super().__init__(3, 5, num_layers=2, bidirectional=True)

    def forward(self, x):
        return super().forward(x)[0]


class Block(nn.Module):
    def __init__(self, ins, outs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(ins, outs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outs)
        self.conv2 = nn.Conv2d(outs, outs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outs)
        self.stride, self.more = stride, outs - ins

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        short = x[:, :, :: self.stride, :: self.stride]
        before = self.more // 2
        return F.relu(y + F.pad(short, (0, 0, 0, 0, before, self.more - before)))


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(Block(16, 16, 1), Block(16, 16, 1), Block(16, 16, 1))
        self.layer2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))
        self.layer3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        y = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.fc(y.mean((2, 3)))


def difference(a, b):
    assert a.shape == b.shape, (a.shape, b.shape)
    return (a - b).abs().max().item()


def plain(folder, make):
    """A module that is no more than its state dict."""
    sample = load(folder / "sample.safetensors")
    model = make()
    model.load_state_dict(load(folder / "model.safetensors"), strict=True)
    with torch.no_grad():
        error = difference(model.eval()(sample["x"]), sample["y"])
        torch.manual_seed(7)
        other = make().train()
        # Batch norm learns its statistics.
        for _ in range(3):
            other(torch.randn_like(sample["x"]))
        x = torch.randn_like(sample["x"])
        save(folder / "their-sample.safetensors", {"x": x, "y": other.eval()(x)})
    save(folder / "theirs.safetensors", other.state_dict())
    return error


def language(folder, kind, output):
    """A model of transformers, by its folder."""
    import transformers

    cls = getattr(transformers, kind)
    sample = load(folder / "sample.safetensors")
    ids = sample["x"].long()
    model, info = cls.from_pretrained(folder, output_loading_info=True)
    left = {key: sorted(info.get(key, [])) for key in ("missing_keys", "unexpected_keys", "mismatched_keys")}
    assert not any(left.values()), left
    with torch.no_grad():
        error = difference(output(model.eval()(input_ids=ids)), sample["y"])
        torch.manual_seed(7)
        other = cls(model.config).eval()
        logits = output(other(input_ids=ids))
    other.save_pretrained(folder / "theirs")
    save(folder / "their-sample.safetensors", {"x": sample["x"], "y": logits})
    return error


CASES = {
    "mlp": lambda folder: plain(folder, mlp),
    "cnn": lambda folder: plain(folder, cnn),
    "lstm": lambda folder: plain(folder, Lstm),
    "resnet20": lambda folder: plain(folder, ResNet20),
    "gpt2": lambda folder: language(folder, "GPT2LMHeadModel", lambda y: y.logits),
    "llama": lambda folder: language(folder, "LlamaForCausalLM", lambda y: y.logits),
    "bert": lambda folder: language(folder, "BertForPreTraining", lambda y: y.prediction_logits),
}


def main(folder):
    results = {}
    for name, case in CASES.items():
        try:
            results[name] = {"error": case(folder / name)}
        except ImportError as missing:
            results[name] = {"skipped": str(missing)}
    print(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
