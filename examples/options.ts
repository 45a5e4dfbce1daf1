// The command line of every example and bench: one table gives the parser, the types and the text of --help.
import { parseArgs } from "node:util";

/** One option: `shape` is how its value looks in --help, `read` turns text into a value or throws a sentence. */
export interface Option<T> {
  shape: string;
  about: string;
  preset: T;
  read(text: string): T;
}

type Table = Record<string, Option<unknown>>;
type Values<T extends Table> = { [K in keyof T]: T[K]["preset"] };

export interface Program<T extends Table> {
  /** How it is called: "npm run demo --". */
  call: string;
  about: string;
  /** What stands alone on the command line and must be there, as the DIR of "generate DIR". */
  argument?: { shape: string; about: string };
  options: T;
}

/** A command line that cannot be followed; the message is the sentence to print. */
export class Refusal extends Error {}

function within(value: number, text: string, kind: string, min: number, max: number): number {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  const whole = kind !== "an integer" || Number.isInteger(value);
  if (text.trim() === "" || !(value >= min && value <= max) || !whole) {
    throw new Refusal(`must be ${kind} ${range}, got "${text}"`);
  }
  return value;
}

export function integer<P extends number | undefined>(
  preset: P,
  about: string,
  { min = 1, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {},
): Option<number | P> {
  return { shape: "N", about, preset, read: (text) => within(Number(text), text, "an integer", min, max) };
}

export function real<P extends number | undefined>(
  preset: P,
  about: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: { min?: number; max?: number } = {},
): Option<number | P> {
  return { shape: "X", about, preset, read: (text) => within(Number(text), text, "a number", min, max) };
}

export function choice<const C extends readonly [string, ...string[]]>(choices: C, about: string): Option<C[number]> {
  const read = (text: string): C[number] => {
    if (choices.includes(text)) return text;
    throw new Refusal(`must be ${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}, got "${text}"`);
  };
  return { shape: choices.join("|"), about, preset: choices[0], read };
}

export function path<P extends string | undefined>(shape: string, preset: P, about: string): Option<string | P> {
  const read = (text: string): string => {
    if (text === "") throw new Refusal("must not be empty");
    return text;
  };
  return { shape, about, preset, read };
}

/** An option without a value: it is given or not. */
export function flag(about: string): Option<boolean> {
  return { shape: "", about, preset: false, read: () => true };
}

/** The text of --help. */
export function help({ call, about, argument, options }: Program<Table>): string {
  const own = argument ? [[argument.shape, argument.about] as [string, string]] : [];
  const rows = Object.entries(options).map(([name, { shape, about, preset }]): [string, string] => {
    const value = preset === undefined || preset === false ? "" : ` (${preset})`;
    return [`--${name} ${shape}`.trimEnd(), `${about}${value}`];
  });
  rows.unshift(...own);
  rows.push(["--json", "end with one line of JSON"], ["--help", "print this"]);
  const wide = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `  ${left.padEnd(wide)}  ${right}`);
  return `${about}\n\nusage: ${call} ${argument ? `${argument.shape} ` : ""}[options]\n${lines.join("\n")}`;
}

/** The values of a command line, or "help"; throws a Refusal. */
export function parse<T extends Table>(
  program: Program<T>,
  args: string[],
): (Values<T> & { argument?: string; json: boolean }) | "help" {
  const flags = { json: { type: "boolean" }, help: { type: "boolean" } } as const;
  const names = Object.keys(program.options);
  const { argument } = program;
  let given: Record<string, string | boolean | undefined>;
  let alone: string[];
  try {
    const types = names.map((name) => {
      const type = typeof program.options[name]!.preset === "boolean" ? "boolean" : "string";
      return [name, { type }] as const;
    });
    const options = { ...Object.fromEntries(types), ...flags };
    const { values, positionals } = parseArgs({ args, options, allowPositionals: argument !== undefined });
    [given, alone] = [values, positionals];
  } catch (error) {
    throw new Refusal((error as Error).message.split(/\.\s|\n/)[0]);
  }
  if (given.help) return "help";
  if (argument && alone.length !== 1) throw new Refusal(`takes one ${argument.shape}, got ${alone.length}`);
  const values = names.map((name) => {
    const { preset, read } = program.options[name]!;
    const text = given[name];
    try {
      return [name, text === undefined ? preset : read(String(text))];
    } catch (error) {
      throw new Refusal(`--${name} ${(error as Error).message}`);
    }
  });
  return { ...Object.fromEntries(values), ...(argument && { argument: alone[0] }), json: given.json === true };
}

/**
 * Runs a program with its command line. What `main` returns is the JSON of --json. A command line or an input that
 * cannot be used ends with one sentence on stderr and exit code 1; any other error is a mistake here and keeps its stack.
 */
export async function run<T extends Table>(
  program: Program<T>,
  main: (values: Values<T> & { argument?: string }) => object | Promise<object>,
): Promise<void> {
  try {
    const values = parse(program, process.argv.slice(2));
    if (values === "help") {
      console.log(help(program));
      return;
    }
    const result = await main(values);
    if (values.json) console.log(JSON.stringify(result));
  } catch (error) {
    const known = error instanceof Refusal || (error as { code?: string }).code?.startsWith("ERR_NABLA_");
    if (!known) throw error;
    const advice = error instanceof Refusal ? "\n--help lists the options." : "";
    console.error(`${(error as Error).message}${advice}`);
    process.exitCode = 1;
  }
}
