import { Value } from "../core/value.ts";
import { Module } from "./module.ts";

/**
 * Puts other modules in the place of some, wherever a model holds them: f gives the other one, once for each module, or undefined
 * to look inside it. A module whose `readsWeights` is true reads its layers and does not run them, so they stay.
 */
export function exchange(model: Module, f: (module: Module) => Module | undefined): void {
  const others = new Map<Module, Module | undefined>();
  const seen = new Set<object>();
  const visit = (holder: object): void => {
    if (seen.has(holder) || (holder as { readsWeights?: boolean }).readsWeights) return;
    seen.add(holder);
    for (const [key, child] of Object.entries(holder)) {
      if (typeof child !== "object" || child === null || child instanceof Value || ArrayBuffer.isView(child)) continue;
      if (child instanceof Module && !others.has(child)) others.set(child, f(child));
      const other = others.get(child);
      if (other) (holder as Record<string, unknown>)[key] = other;
      else visit(child);
    }
  };
  visit(model);
}
