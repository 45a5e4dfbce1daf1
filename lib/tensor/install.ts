import { refuse } from "../core/boundary.ts";
import type { Value } from "../core/value.ts";

/** The implementations of a family of methods: plain functions on untyped values, the tensor itself first. */
export type Methods<Family> = { readonly [K in keyof Family]: (x: Value, ...args: never[]) => unknown };

/** Puts them on a prototype as a class body would: named, writable, not enumerable. */
export function install(prototype: object, ...families: readonly Methods<object>[]): void {
  for (const [name, f] of families.flatMap((family) => Object.entries(family))) {
    const method = {
      [name](this: Value, ...args: never[]) {
        try {
          return f(this, ...args);
        } catch (error) {
          return refuse(error, name, args);
        }
      },
    };
    Object.defineProperty(prototype, name, { value: method[name], writable: true, configurable: true });
  }
}
