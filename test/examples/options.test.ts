import { expect, test } from "vitest";
import { choice, help, integer, parse, path, real } from "../../examples/options.ts";

const program = {
  call: "npm run demo --",
  about: "Trains.",
  options: {
    epochs: integer(10, "times through the data", { max: 100 }),
    lr: real(0.1, "step size", { min: 0, max: 1 }),
    optimizer: choice(["adamw", "sgd"], "rule"),
    data: path("DIR", undefined, "folder"),
    threads: integer(undefined, "threads"),
  },
};

test("values are typed, presets stay where nothing is said", () => {
  expect(parse(program, [])).toEqual({ epochs: 10, lr: 0.1, optimizer: "adamw", json: false });
  const values = parse(program, ["--epochs", "3", "--lr=1e-3", "--optimizer", "sgd", "--data", "x", "--json"]);
  expect(values).toEqual({ epochs: 3, lr: 0.001, optimizer: "sgd", data: "x", json: true });
  expect(parse(program, ["--epochs", "nonsense", "--help"])).toBe("help");
});

test.each([
  [["--epochs", "0"], '--epochs must be an integer from 1 to 100, got "0"'],
  [["--epochs", "2.5"], '--epochs must be an integer from 1 to 100, got "2.5"'],
  [["--epochs", ""], '--epochs must be an integer from 1 to 100, got ""'],
  [["--epochs", "many"], '--epochs must be an integer from 1 to 100, got "many"'],
  [["--threads", "0"], '--threads must be an integer of at least 1, got "0"'],
  [["--lr", "2"], '--lr must be a number from 0 to 1, got "2"'],
  [["--lr", "NaN"], '--lr must be a number from 0 to 1, got "NaN"'],
  [["--lr=-1"], '--lr must be a number from 0 to 1, got "-1"'],
  [["--optimizer", "lion"], '--optimizer must be adamw or sgd, got "lion"'],
  [["--data", ""], "--data must not be empty"],
  [["--epoch", "1"], "Unknown option '--epoch'"],
  [["--epochs"], "Option '--epochs <value>' argument missing"],
  [["stray"], "Unexpected argument 'stray'"],
])("%j is refused with a sentence", (args, sentence) => {
  expect(() => parse(program, args)).toThrow(sentence);
});

test("help has a line for each option, with what holds when it is not given", () => {
  expect(help(program)).toBe(`Trains.

usage: npm run demo -- [options]
  --epochs N             times through the data (10)
  --lr X                 step size (0.1)
  --optimizer adamw|sgd  rule (adamw)
  --data DIR             folder
  --threads N            threads
  --json                 end with one line of JSON
  --help                 print this`);
});

test("what stands alone is taken where a program asks for it", () => {
  const asking = { ...program, argument: { shape: "FOLDER", about: "where the model is" } };
  expect(parse(asking, ["--epochs", "3", "x"])).toMatchObject({ argument: "x", epochs: 3 });
  expect(() => parse(asking, [])).toThrow("takes one FOLDER, got 0");
  expect(() => parse(asking, ["a", "b"])).toThrow("takes one FOLDER, got 2");
  expect(help(asking)).toMatch(/usage: npm run demo -- FOLDER \[options\]\n {2}FOLDER +where the model is\n/);
});
