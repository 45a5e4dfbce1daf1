// Every op of the registry is run by the call whose type is stated, or belongs to another.
import { afterEach, describe, expect, it, vi } from "vitest";
import { registry } from "../../lib/engine/op.ts";
import "../../lib/ops/index.ts";
import { calls, inner } from "./op.ts";

afterEach(() => vi.restoreAllMocks());

const gradient = (name: string) => name.endsWith("_grad");

it("none is missing, none is left over", () => {
  const called = [...registry.keys()].filter((name) => !gradient(name) && !inner.has(name));
  expect(Object.keys(calls).sort()).toEqual(called.sort());
  expect([...inner].filter((name) => !registry.has(name))).toEqual([]);
});
describe("runs", () => {
  it.each(Object.entries(calls))("%s", (name, call) => {
    const infer = vi.spyOn(registry.get(name)!.definition, "infer");
    call();
    expect(infer).toHaveBeenCalled();
  });
});
