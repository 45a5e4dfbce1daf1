// What becomes of a case, and how it is told.

/** Thrown where the library lacks what a case needs. The reason is shown, and the case counts as skipped. */
export class Skip extends Error {}
/** Thrown where a result is not the expected one. */
export class Miss extends Error {}

interface Told {
  readonly family: string;
  readonly id: string;
  readonly op: string;
  readonly text: string;
}
interface Count {
  passed: number;
  failed: number;
  skipped: number;
}

/** Counts cases by family. A case that was not compared is never counted as passed. */
export class Report {
  readonly families: Map<string, Count> = new Map();
  readonly failures: Told[] = [];
  readonly skips: Told[] = [];
  readonly #only: string | undefined;

  constructor(only?: string) {
    this.#only = only;
  }

  /** Runs one case. */
  async run(family: string, id: string, op: string, test: () => void | Promise<void>): Promise<void> {
    if (this.#only !== undefined && !id.includes(this.#only)) return;
    const count = this.families.get(family) ?? { passed: 0, failed: 0, skipped: 0 };
    this.families.set(family, count);
    try {
      await test();
      count.passed++;
    } catch (error) {
      const told = { family, id, op, text: text(error) };
      if (error instanceof Skip) {
        count.skipped++;
        this.skips.push(told);
      } else {
        count.failed++;
        this.failures.push(told);
      }
    }
  }

  get total(): Count {
    const sum = { passed: 0, failed: 0, skipped: 0 };
    for (const c of this.families.values()) {
      sum.passed += c.passed;
      sum.failed += c.failed;
      sum.skipped += c.skipped;
    }
    return sum;
  }

  print(line: (text: string) => void): void {
    const wide = Math.max(0, ...[...this.families.keys()].map((name) => name.length));
    for (const [name, count] of this.families) line(`${name.padEnd(wide)}  ${counted(count)}`);
    if (this.failures.length > 0) line("\nfailed:");
    for (const { id, text } of this.failures) line(`  ${id}: ${text}`);
    if (this.skips.length > 0) line("\nskipped:");
    for (const { op, text, families, count } of this.skipsByOp()) line(`  ${op}: ${text} (${count} in ${families})`);
    line(counted(this.total));
  }

  /** One entry for each op and reason. */
  skipsByOp(): { op: string; text: string; families: string; count: number }[] {
    const groups = new Map<string, Told[]>();
    for (const skip of this.skips) {
      const key = `${skip.op}\n${skip.text}`;
      groups.set(key, [...(groups.get(key) ?? []), skip]);
    }
    return [...groups.values()].map((group) => ({
      op: group[0]!.op,
      text: group[0]!.text,
      families: [...new Set(group.map((s) => s.family))].join(", "),
      count: group.length,
    }));
  }
}

const counted = ({ passed, failed, skipped }: Count): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

function text(error: unknown): string {
  if (error instanceof Skip || error instanceof Miss) return error.message;
  return error instanceof Error ? `${error.name}: ${error.message.split("\n")[0]}` : String(error);
}
