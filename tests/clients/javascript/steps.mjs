// Reads the task from the standard input and tells of each step on a line of JSON.
import { readFileSync } from "node:fs";

export const task = JSON.parse(readFileSync(0, "utf8"));

// describe: an error's status and code, as far as the client tells them.
export function teller(describe) {
  const tell = (line) => process.stdout.write(JSON.stringify(line) + "\n");
  return async (step, make) => {
    let got;
    try {
      got = await make();
    } catch (error) {
      tell({ step, error: { status: null, code: null, ...describe(error), message: String(error) } });
      return undefined;
    }
    tell({ step, got: got === undefined ? null : got });
    return got;
  };
}
