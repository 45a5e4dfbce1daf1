// The header of a safetensors file: 8 bytes of length, then JSON of one fixed form. Read by hand rather than with JSON.parse,
// because that lets duplicate keys, fractions and any depth through; here what is not in the form is refused where it stands.
import { fail } from "../core/errors.ts";

/** Element types of the format that can be read, with their bytes. */
export const fileTypes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  F64: 8,
  I64: 8,
  U64: 8,
} as const;
export type FileType = keyof typeof fileTypes;

/** Where a tensor lies: bytes [begin, end) of the data. */
export interface Entry {
  readonly name: string;
  readonly dtype: FileType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}
export interface Header {
  /** In the order of their data. */
  readonly entries: ReadonlyMap<string, Entry>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** The rules of the format by the names its reference implementation gives their violations. */
export type Rule =
  | "HeaderTooSmall"
  | "HeaderTooLarge"
  | "InvalidHeaderLength"
  | "InvalidHeader"
  | "InvalidHeaderStart"
  | "InvalidHeaderDeserialization"
  | "InvalidOffset"
  | "TensorInvalidInfo"
  | "ValidationOverflow"
  | "MetadataIncompleteBuffer";

export function refuse(file: string, rule: Rule, sentence: string): never {
  return fail("ERR_NABLA_FILE", "safetensors", `${file}: ${rule}: ${sentence}`, {
    expected: rule,
    hint: "the file is damaged or not a safetensors file",
  });
}

export const headerLimit = 100_000_000;

/** The header's bytes from the first eight of the file, checked against its size. */
export function headerLength(file: string, prefix: Uint8Array, fileBytes: number): number {
  if (fileBytes < 8 || prefix.length < 8)
    refuse(file, "HeaderTooSmall", `${fileBytes} bytes, the length of the header alone takes 8`);
  const n = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (n > headerLimit) refuse(file, "HeaderTooLarge", `a header of ${n} bytes, at most ${headerLimit} are allowed`);
  if (Number(n) > fileBytes - 8)
    refuse(file, "InvalidHeaderLength", `a header of ${n} bytes in a file of ${fileBytes}`);
  return Number(n);
}

/** Reads the form { "name": { "dtype": "F32", "shape": [2], "data_offsets": [0, 8] }, "__metadata__": { "key": "text" } }. */
class Reader {
  readonly file: string;
  readonly text: string;
  at = 0;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
  }

  refuse(wanted: string): never {
    const found = this.at < this.text.length ? JSON.stringify(this.text.slice(this.at, this.at + 12)) : "its end";
    return refuse(this.file, "InvalidHeaderDeserialization", `byte ${this.at} of the header: ${wanted}, not ${found}`);
  }
  space(): void {
    while (" \n\r\t".includes(this.text[this.at] ?? "x")) this.at++;
  }
  /** Takes the mark if it comes next. */
  takes(mark: string): boolean {
    this.space();
    if (this.text[this.at] !== mark) return false;
    this.at++;
    return true;
  }
  expect(mark: string): void {
    if (!this.takes(mark)) this.refuse(`expected ${mark}`);
  }
  string(): string {
    this.space();
    if (this.text[this.at] !== '"') this.refuse("expected a string");
    let end = this.at;
    do end = this.text.indexOf('"', end + 1);
    while (end >= 0 && this.escaped(end));
    if (end < 0) this.refuse("expected a string that ends");
    let out: string;
    try {
      out = JSON.parse(this.text.slice(this.at, end + 1)) as string;
    } catch {
      return this.refuse("expected a valid string");
    }
    if (/\p{Surrogate}/u.test(out)) this.refuse("expected text without lone surrogates");
    this.at = end + 1;
    return out;
  }
  /** An odd number of backslashes stands before. */
  escaped(quote: number): boolean {
    let i = quote;
    while (this.text[i - 1] === "\\") i--;
    return (quote - i) % 2 === 1;
  }
  whole(): number {
    this.space();
    const digits = /(0|[1-9]\d*)(?![\d.eE])/y;
    digits.lastIndex = this.at;
    const found = digits.exec(this.text)?.[1];
    if (found === undefined) return this.refuse("expected a whole number from 0");
    if (!Number.isSafeInteger(Number(found))) this.refuse("expected a number below 2^53");
    this.at += found.length;
    return Number(found);
  }
  list(): number[] {
    const out: number[] = [];
    this.expect("[");
    if (this.takes("]")) return out;
    do out.push(this.whole());
    while (this.takes(","));
    this.expect("]");
    return out;
  }
  /** field(name) reads what stands after the colon. */
  object(field: (name: string) => void): void {
    const seen = new Set<string>();
    this.expect("{");
    if (this.takes("}")) return;
    do {
      const name = this.string();
      if (seen.has(name)) this.refuse(`expected every key once, ${JSON.stringify(name)} comes again`);
      seen.add(name);
      this.expect(":");
      field(name);
    } while (this.takes(","));
    this.expect("}");
  }
  entry(name: string): Entry {
    let dtype: string | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    this.object((field) => {
      if (field === "dtype") dtype = this.string();
      else if (field === "shape") shape = this.list();
      else if (field === "data_offsets") offsets = this.list();
      else this.refuse(`expected dtype, shape or data_offsets instead of ${JSON.stringify(field)}`);
    });
    if (dtype === undefined || shape === undefined || offsets?.length !== 2)
      return this.refuse(`expected ${JSON.stringify(name)} to have a dtype, a shape and two data_offsets`);
    if (!Object.hasOwn(fileTypes, dtype))
      refuse(this.file, "TensorInvalidInfo", `tensor ${JSON.stringify(name)} has the unknown dtype ${dtype}`);
    return { name, dtype: dtype as FileType, shape, begin: offsets[0], end: offsets[1] };
  }
}

/** Reads the header and checks it against the bytes of data that follow. Nothing is allocated by what it claims. */
export function parseHeader(file: string, bytes: Uint8Array, dataBytes: number): Header {
  if (bytes[0] !== 0x7b) refuse(file, "InvalidHeaderStart", "the header does not begin with {");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse(file, "InvalidHeader", "the header is not UTF-8");
  }
  const reader = new Reader(file, text);
  const metadata = new Map<string, string>();
  const found: Entry[] = [];
  reader.object((name) => {
    if (name === "__metadata__") reader.object((key) => metadata.set(key, reader.string()));
    else found.push(reader.entry(name));
  });
  reader.space();
  if (reader.at < text.length) reader.refuse("expected nothing more");
  found.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkLayout(file, found, dataBytes);
  return { entries: new Map(found.map((e) => [e.name, e])), metadata };
}

/** The data of the tensors, in order, fills the rest of the file: no hole, no overlap, nothing behind. */
function checkLayout(file: string, entries: readonly Entry[], dataBytes: number): void {
  let at = 0;
  for (const { name, dtype, shape, begin, end } of entries) {
    const tensor = `tensor ${JSON.stringify(name)}`;
    if (begin !== at || end < begin)
      refuse(file, "InvalidOffset", `${tensor} lies at [${begin}, ${end}), it should begin at ${at}`);
    let bytes: number = fileTypes[dtype];
    for (const size of shape) {
      bytes *= size;
      if (bytes > Number.MAX_SAFE_INTEGER)
        refuse(file, "ValidationOverflow", `${tensor} of shape [${shape.join(", ")}] has more than 2^53 bytes`);
    }
    if (bytes !== end - begin)
      refuse(
        file,
        "TensorInvalidInfo",
        `${tensor}, ${dtype} [${shape.join(", ")}], takes ${bytes} bytes and has ${end - begin}`,
      );
    at = end;
  }
  if (at !== dataBytes)
    refuse(file, "MetadataIncompleteBuffer", `the header describes ${at} bytes of data, the file has ${dataBytes}`);
}

const ranks: readonly FileType[] = ["F64", "F32", "I32", "U8", "BOOL"];

export interface Described {
  readonly name: string;
  readonly dtype: FileType;
  readonly shape: readonly number[];
  readonly bytes: number;
}
/** The order of data in a file: wide elements first, so that each is aligned, then by name. */
export function fileOrder(a: Described, b: Described): number {
  return ranks.indexOf(a.dtype) - ranks.indexOf(b.dtype) || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
}

/** The first bytes of a file, up to the data; padded with spaces so that the data begins at a multiple of 8. */
export function formatHeader(tensors: readonly Described[], metadata: Readonly<Record<string, string>>): Buffer {
  let at = 0;
  const fields = tensors.map(({ name, dtype, shape, bytes }) => {
    const offsets = [at, at + bytes];
    at += bytes;
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: offsets })}`;
  });
  if (Object.keys(metadata).length > 0) fields.unshift(`"__metadata__":${JSON.stringify(metadata)}`);
  const json = Buffer.from(`{${fields.join(",")}}`);
  const length = Math.ceil(json.length / 8) * 8;
  const out = Buffer.alloc(8 + length, " ");
  out.writeBigUInt64LE(BigInt(length), 0);
  json.copy(out, 8);
  return out;
}
