"""safetensors in plain Python, by the description of the format: what nabla writes is read by code that is not nabla's."""
import json
import struct
from array import array
from pathlib import Path

# The codes of the array module for the element types that are exchanged.
CODES = {"F64": "d", "F32": "f", "I64": "q", "I32": "i", "U8": "B", "BOOL": "B"}


def count(shape):
    n = 1
    for size in shape:
        n *= size
    return n


def read(path):
    """Tensors by name: (dtype, shape, flat list). Every rule of the format that a file can break is asserted."""
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    body = data[8 + length :]
    tensors, end = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = entry["data_offsets"]
        assert begin == end, f"{name} begins at {begin}, not {end}"
        values = array(CODES[entry["dtype"]])
        values.frombytes(body[begin:stop])
        assert len(values) == count(entry["shape"]), name
        tensors[name] = (entry["dtype"], entry["shape"], values.tolist())
        end = stop
    assert end == len(body), f"{len(body) - end} bytes behind the last tensor"
    return tensors


def write(path, tensors):
    """Writes tensors by name: (dtype, shape, flat list), in the order they have."""
    header, body = {}, b""
    for name, (dtype, shape, values) in tensors.items():
        part = array(CODES[dtype], values).tobytes()
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [len(body), len(body) + len(part)]}
        body += part
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + body)
