import { defineConfig } from 'drizzle-kit';

/** `npx drizzle-kit generate` in this folder writes the next forward-only migration from the difference to the last one. */
export default defineConfig({ dialect: 'postgresql', schema: './src/store/schema.ts', out: './drizzle' });
