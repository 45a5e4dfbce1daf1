import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

export default defineConfig({
  resolve: { alias: { "nabla/plot": path("lib/plot/index.ts"), nabla: path("lib/index.ts") } },
  test: {
    include: ["test/**/*.test.ts"],
    typecheck: { enabled: true, include: ["test/**/*.test-d.ts"], tsconfig: "./tsconfig.test.json" },
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 30_000,
  },
});
