"""The names and shapes that PyTorch and transformers give the parameters of the models that are exchanged, by their rules.

python3 names.py FOLDER reads FOLDER/NAME/model.safetensors of each, compares, computes the multilayer perceptron by hand, and
writes FOLDER/NAME/pattern.safetensors: every tensor filled with numbers that follow from its name. Needs nothing but Python.
"""
import json
import sys
from pathlib import Path

from files import count, read, write


def linear(name, ins, outs, bias=True):
    yield f"{name}.weight", [outs, ins]
    if bias:
        yield f"{name}.bias", [outs]


def conv(name, ins, outs, kernel, bias=True):
    yield f"{name}.weight", [outs, ins, kernel, kernel]
    if bias:
        yield f"{name}.bias", [outs]


def norm(name, width, bias=True):
    yield f"{name}.weight", [width]
    if bias:
        yield f"{name}.bias", [width]


def batch_norm(name, width):
    yield from norm(name, width)
    yield f"{name}.running_mean", [width]
    yield f"{name}.running_var", [width]
    yield f"{name}.num_batches_tracked", []


def mlp():
    yield from linear("0", 4, 8)
    yield from linear("2", 8, 3)


def cnn():
    yield from conv("0", 1, 4, 3)
    yield from batch_norm("1", 4)
    yield from linear("5", 64, 5)


def lstm():
    ins, hidden = 3, 5
    for layer in range(2):
        for direction in ("", "_reverse"):
            width = ins if layer == 0 else 2 * hidden
            yield f"weight_ih_l{layer}{direction}", [4 * hidden, width]
            yield f"weight_hh_l{layer}{direction}", [4 * hidden, hidden]
            yield f"bias_ih_l{layer}{direction}", [4 * hidden]
            yield f"bias_hh_l{layer}{direction}", [4 * hidden]


def resnet20():
    yield from conv("conv1", 3, 16, 3, bias=False)
    yield from batch_norm("bn1", 16)
    ins = 16
    for stage, width in enumerate((16, 32, 64), start=1):
        for block in range(3):
            name = f"layer{stage}.{block}"
            yield from conv(f"{name}.conv1", ins, width, 3, bias=False)
            yield from batch_norm(f"{name}.bn1", width)
            yield from conv(f"{name}.conv2", width, width, 3, bias=False)
            yield from batch_norm(f"{name}.bn2", width)
            ins = width
    yield from linear("fc", 64, 10)


# Sizes of the language models: vocabulary, positions, layers, width, inner width.
V, P, L, W, H = 29, 10, 2, 16, 24


def gpt2():
    yield "transformer.wte.weight", [V, W]
    yield "transformer.wpe.weight", [P, W]
    for i in range(L):
        h = f"transformer.h.{i}"
        yield from norm(f"{h}.ln_1", W)
        # Conv1D keeps its weight as [in, out].
        for name, ins, outs in (("attn.c_attn", W, 3 * W), ("attn.c_proj", W, W), ("mlp.c_fc", W, H), ("mlp.c_proj", H, W)):
            yield f"{h}.{name}.weight", [ins, outs]
            yield f"{h}.{name}.bias", [outs]
        yield from norm(f"{h}.ln_2", W)
    yield from norm("transformer.ln_f", W)


def llama():
    kv = W // 2  # 4 heads, 2 for keys and values
    yield "model.embed_tokens.weight", [V, W]
    for i in range(L):
        layer = f"model.layers.{i}"
        for name, outs in (("q_proj", W), ("k_proj", kv), ("v_proj", kv), ("o_proj", W)):
            yield from linear(f"{layer}.self_attn.{name}", W, outs, bias=False)
        yield from linear(f"{layer}.mlp.gate_proj", W, H, bias=False)
        yield from linear(f"{layer}.mlp.up_proj", W, H, bias=False)
        yield from linear(f"{layer}.mlp.down_proj", H, W, bias=False)
        yield from norm(f"{layer}.input_layernorm", W, bias=False)
        yield from norm(f"{layer}.post_attention_layernorm", W, bias=False)
    yield from norm("model.norm", W, bias=False)
    yield from linear("lm_head", W, V, bias=False)


def bert():
    for name, size in (("word", V), ("position", P), ("token_type", 2)):
        yield f"bert.embeddings.{name}_embeddings.weight", [size, W]
    yield from norm("bert.embeddings.LayerNorm", W)
    for i in range(L):
        layer = f"bert.encoder.layer.{i}"
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            yield from linear(f"{layer}.attention.{name}", W, W)
        yield from norm(f"{layer}.attention.output.LayerNorm", W)
        yield from linear(f"{layer}.intermediate.dense", W, H)
        yield from linear(f"{layer}.output.dense", H, W)
        yield from norm(f"{layer}.output.LayerNorm", W)
    yield from linear("bert.pooler.dense", W, W)
    yield "cls.predictions.bias", [V]
    yield from linear("cls.predictions.transform.dense", W, W)
    yield from norm("cls.predictions.transform.LayerNorm", W)
    yield from linear("cls.seq_relationship", W, 2)


MODELS = {f.__name__: f for f in (mlp, cnn, lstm, resnet20, gpt2, llama, bert)}


def pattern(name, n):
    """n numbers that f32 holds exactly and that differ from tensor to tensor."""
    start = sum(name.encode()) % 97
    return [((start + 7 * i) % 101) / 64 for i in range(n)]


def perceptron(tensors, rows):
    """Linear, ReLU, Linear in Python's floats."""
    for key, last in (("0", False), ("2", True)):
        (_, (outs, ins), weight), (_, _, bias) = tensors[f"{key}.weight"], tensors[f"{key}.bias"]
        rows = [
            [sum(weight[o * ins + i] * row[i] for i in range(ins)) + bias[o] for o in range(outs)] for row in rows
        ]
        if not last:
            rows = [[max(x, 0.0) for x in row] for row in rows]
    return rows


def check(folder, names):
    tensors = read(folder / "model.safetensors")
    wanted = dict(names())
    pairs = [(name, tensors.get(name, (None, None))[1], shape) for name, shape in wanted.items()]
    wrong = [f"{name} is {found}, not {shape}" for name, found, shape in pairs if found != shape]
    wrong += [f"{name} is too much" for name in tensors if name not in wanted]
    integers = ("num_batches_tracked",)
    write(
        folder / "pattern.safetensors",
        {
            name: ("I64", shape, [5]) if name.endswith(integers) else ("F32", shape, pattern(name, count(shape)))
            for name, shape in wanted.items()
        },
    )
    return {"tensors": len(tensors), "wrong": wrong}


def main(folder):
    results = {name: check(folder / name, names) for name, names in MODELS.items()}
    sample = read(folder / "mlp" / "sample.safetensors")
    (_, (n, ins), x), (_, _, y) = sample["x"], sample["y"]
    rows = perceptron(read(folder / "mlp" / "model.safetensors"), [x[i * ins : (i + 1) * ins] for i in range(n)])
    found = [value for row in rows for value in row]
    results["mlp"]["error"] = max(abs(a - b) for a, b in zip(found, y, strict=True))
    print(json.dumps(results))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
